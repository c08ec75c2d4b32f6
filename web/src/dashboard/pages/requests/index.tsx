export { Requests } from "./RequestsPage";
