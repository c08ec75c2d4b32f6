export { Settings } from "./SettingsPage";
