export { Issues } from "./IssuesPage";
