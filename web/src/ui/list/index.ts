export { type Column, DataList, type DataListProps } from "./DataList";
export { NewRows } from "./NewRows";
export { SplitPane } from "./SplitPane";
