export { DiffView } from "./DiffView";
export { Editor } from "./Editor";
export { HeaderTable } from "./HeaderTable";
export { PayloadViewer } from "./PayloadViewer";
export type * from "./props";
