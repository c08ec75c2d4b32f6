export { Chart } from "./Chart";
export { HealthStrip } from "./HealthStrip";
export { PhaseBar } from "./PhaseBar";
export type * from "./props";
export { RetryLine } from "./RetryLine";
export { Timeline } from "./Timeline";
