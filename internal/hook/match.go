package hook

import "slices"

// Verdict says whether an endpoint gets a message and, if not, why not.
type Verdict uint8

// The verdicts, in the order in which they are decided.
const (
	Matched          Verdict = iota
	EventTypeDiffers         // the endpoint asks for other event types
	ChannelDiffers           // the endpoint asks for channels that the message does not have
	EndpointDisabled         // it would get the message, but it is disabled
)

// Verdicts lists every verdict once.
var Verdicts = []Verdict{Matched, EventTypeDiffers, ChannelDiffers, EndpointDisabled}

// String gives the stable word of the verdict.
func (v Verdict) String() string {
	switch v {
	case Matched:
		return "matched"
	case EventTypeDiffers:
		return "event_type_differs"
	case ChannelDiffers:
		return "channel_differs"
	case EndpointDisabled:
		return "endpoint_disabled"
	}
	return "unknown"
}

// Match decides whether an endpoint with these filters gets a message of this
// event type and these channels. An endpoint without event types takes all of
// them; one without channels takes all messages; one with channels takes only
// messages that share at least one.
func Match(eventType string, channels []string, f EndpointRevision) Verdict {
	switch {
	case len(f.EventTypes) > 0 && !slices.Contains(f.EventTypes, eventType):
		return EventTypeDiffers
	case len(f.Channels) > 0 && !shareOne(f.Channels, channels):
		return ChannelDiffers
	case f.Disabled:
		return EndpointDisabled
	}
	return Matched
}

// Filters gives the part of the endpoint that Match reads.
func (e *Endpoint) Filters() EndpointRevision {
	return EndpointRevision{
		Endpoint: e.ID, Revision: e.Revision, EventTypes: e.EventTypes,
		Channels: e.Channels, Disabled: e.Disabled, Since: e.UpdatedAt,
	}
}

func shareOne(a, b []string) bool {
	for _, x := range a {
		if slices.Contains(b, x) {
			return true
		}
	}
	return false
}
