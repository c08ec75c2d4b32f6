export { NewSource } from "./NewSource";
export { SourcePage } from "./SourcePage";
export { Sources } from "./SourcesPage";
