export { EndpointPage } from "./EndpointPage";
export { Endpoints } from "./EndpointsPage";
