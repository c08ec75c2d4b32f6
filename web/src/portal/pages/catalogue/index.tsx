export { Catalogue } from "./CataloguePage";
