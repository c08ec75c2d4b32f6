export { AttemptPage } from "@/parts/message/AttemptPage";
export { Messages } from "./MessagesPage";
