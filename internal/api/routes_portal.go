package api

import "github.com/grapnelhq/grapnel/apitype"

const atSettings = v1 + "/settings"

// portalRoutes are those of the portal's page, of its settings, of live streams and of
// the server itself.
var portalRoutes = []route{
	{method: "POST", path: v1 + "/auth/one-time-token", id: "authentication.one-time-token", tag: "Portal", summary: "Exchange the code of a portal link for a token", right: rightNone,
		in: apitype.OneTimeTokenIn{}, out: apitype.PortalTokenOut{}, status: 200, do: exchangeCode, again: true},
	{method: "POST", path: v1 + "/auth/portal-token", id: "authentication.portal-token", tag: "Portal", summary: "Renew a portal token by the cookie of the portal's page", right: rightNone,
		out: apitype.PortalTokenOut{}, status: 200, do: renewToken, again: true},
	{method: "GET", path: v1 + "/portal/config", id: "portal.config", tag: "Portal", summary: "Get what the portal of a token looks like and may do", right: rightAny,
		out: apitype.PortalConfigOut{}, status: 200, do: portalConfig},
	{method: "GET", path: atSettings, id: "settings.get", tag: "Settings", summary: "Get the settings of the environment", right: rightRead,
		out: apitype.SettingsOut{}, status: 200, do: getSettings},
	{method: "PATCH", path: atSettings, id: "settings.patch", tag: "Settings", summary: "Change settings of the environment", right: rightAdmin,
		in: apitype.SettingsPatch{}, out: apitype.SettingsOut{}, status: 200, do: patchSettings},
	{method: "GET", path: v1 + "/live", id: "live.environment", tag: "Live", summary: "Follow what is new in the environment, as server-sent events", right: rightRead,
		query: "topics environment last_event_id", out: apitype.LiveEvent{}, status: 200, do: followEnvironment, stream: true},
	{method: "GET", path: atApp + "/live", id: "live.application", tag: "Live", summary: "Follow what is new of an application, as server-sent events", right: rightViewBase,
		query: "topics environment last_event_id", out: apitype.LiveEvent{}, status: 200, do: followApplication, stream: true},
	{method: "GET", path: v1 + "/system", id: "system.get", tag: "Server", summary: "Get what the server knows about itself, and what the doctor finds", right: rightAdmin,
		out: apitype.SystemOut{}, status: 200, do: getSystem},
}
