export { PhaseBar } from "./PhaseBar";
export type * from "./props";
export { Timeline } from "./Timeline";
