export { LinkPage } from "./LinkPage";
