export { AttemptPage } from "./AttemptPage";
export { Messages } from "./MessagesPage";
