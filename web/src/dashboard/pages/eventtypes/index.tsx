export { EventTypes } from "./EventTypesPage";
