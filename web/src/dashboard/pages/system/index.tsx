export { System } from "./SystemPage";
