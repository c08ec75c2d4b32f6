export { Overview } from "./OverviewPage";
