package apitype_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/svix/svix-webhooks/go/models"

	"github.com/grapnelhq/grapnel/apitype"
)

// pair joins one of our types with the model that a 1.x client has for it.
type pair struct{ ours, theirs reflect.Type }

func pairOf[O, T any]() pair { return pair{reflect.TypeFor[O](), reflect.TypeFor[T]()} }

var inputs = []pair{
	pairOf[apitype.ApplicationIn, models.ApplicationIn](),
	pairOf[apitype.ApplicationPatch, models.ApplicationPatch](),
	pairOf[apitype.EndpointIn, models.EndpointIn](),
	pairOf[apitype.EndpointUpdate, models.EndpointUpdate](),
	pairOf[apitype.EndpointPatch, models.EndpointPatch](),
	pairOf[apitype.EndpointHeadersIn, models.EndpointHeadersIn](),
	pairOf[apitype.EndpointHeadersPatchIn, models.EndpointHeadersPatchIn](),
	pairOf[apitype.EndpointSecretRotateIn, models.EndpointSecretRotateIn](),
	pairOf[apitype.EventExampleIn, models.EventExampleIn](),
	pairOf[apitype.RecoverIn, models.RecoverIn](),
	pairOf[apitype.EventTypeIn, models.EventTypeIn](),
	pairOf[apitype.EventTypeUpdate, models.EventTypeUpdate](),
	pairOf[apitype.EventTypePatch, models.EventTypePatch](),
	pairOf[apitype.MessageIn, models.MessageIn](),
	pairOf[apitype.PortalAccessIn, models.AppPortalAccessIn](),
	pairOf[apitype.TokenExpireIn, models.ApplicationTokenExpireIn](),
	pairOf[apitype.APITokenIn, models.ApiTokenIn](),
	pairOf[apitype.APITokenExpireIn, models.ApiTokenExpireIn](),
	pairOf[apitype.SourceIn, models.IngestSourceIn](),
	pairOf[apitype.EndpointIn, models.IngestEndpointIn](),
	pairOf[apitype.EndpointUpdate, models.IngestEndpointUpdate](),
	pairOf[apitype.EndpointHeadersIn, models.IngestEndpointHeadersIn](),
	pairOf[apitype.EndpointSecretRotateIn, models.IngestEndpointSecretIn](),
}

var outputs = []pair{
	pairOf[apitype.ApplicationOut, models.ApplicationOut](),
	pairOf[apitype.EndpointOut, models.EndpointOut](),
	pairOf[apitype.EndpointSecretOut, models.EndpointSecretOut](),
	pairOf[apitype.EndpointHeadersOut, models.EndpointHeadersOut](),
	pairOf[apitype.EndpointStats, models.EndpointStats](),
	pairOf[apitype.EventTypeOut, models.EventTypeOut](),
	pairOf[apitype.MessageOut, models.MessageOut](),
	pairOf[apitype.MessageCreateOut, models.MessageOut](),
	pairOf[apitype.MessageAttemptOut, models.MessageAttemptOut](),
	pairOf[apitype.EndpointMessageOut, models.EndpointMessageOut](),
	pairOf[apitype.MessageEndpointOut, models.MessageEndpointOut](),
	pairOf[apitype.PortalAccessOut, models.AppPortalAccessOut](),
	pairOf[apitype.PortalAccessOut, models.DashboardAccessOut](),
	pairOf[apitype.TaskRef, models.RecoverOut](),
	pairOf[apitype.TaskOut, models.BackgroundTaskOut](),
	pairOf[apitype.APITokenOut, models.ApiTokenOut](),
	pairOf[apitype.APITokenCensoredOut, models.ApiTokenCensoredOut](),
	pairOf[apitype.Empty, models.EmptyResponse](),
	pairOf[apitype.SourceOut, models.IngestSourceOut](),
	pairOf[apitype.RotateTokenOut, models.RotateTokenOut](),
	pairOf[apitype.EndpointOut, models.IngestEndpointOut](),
	pairOf[apitype.EndpointHeadersOut, models.IngestEndpointHeadersOut](),
	pairOf[apitype.EndpointSecretOut, models.IngestEndpointSecretOut](),
	pairOf[apitype.List[apitype.SourceOut], models.ListResponseIngestSourceOut](),
	pairOf[apitype.List[apitype.EndpointOut], models.ListResponseIngestEndpointOut](),
	pairOf[apitype.List[apitype.ApplicationOut], models.ListResponseApplicationOut](),
	pairOf[apitype.List[apitype.EndpointOut], models.ListResponseEndpointOut](),
	pairOf[apitype.List[apitype.EventTypeOut], models.ListResponseEventTypeOut](),
	pairOf[apitype.List[apitype.MessageOut], models.ListResponseMessageOut](),
	pairOf[apitype.List[apitype.MessageAttemptOut], models.ListResponseMessageAttemptOut](),
	pairOf[apitype.List[apitype.EndpointMessageOut], models.ListResponseEndpointMessageOut](),
	pairOf[apitype.List[apitype.MessageEndpointOut], models.ListResponseMessageEndpointOut](),
	pairOf[apitype.List[apitype.TaskOut], models.ListResponseBackgroundTaskOut](),
}

func TestEveryMemberOfTheClientsModelsIsThere(t *testing.T) {
	t.Parallel()
	for _, p := range slices.Concat(inputs, outputs) {
		ours := memberNames(p.ours)
		for name := range memberNames(p.theirs) {
			if _, ok := ours[name]; !ok {
				t.Errorf("%v lacks %q of %v", p.ours, name, p.theirs)
			}
		}
	}
}

// Whatever a client can send arrives whole: its JSON, read and written by us, is the same.
func TestWhatClientsSendSurvivesARoundTrip(t *testing.T) {
	t.Parallel()
	for _, p := range inputs {
		theirs, ours := reflect.New(p.theirs), reflect.New(p.ours)
		fill(t, theirs.Elem())
		sent := asMap(t, theirs.Interface())
		b, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, ours.Interface()); err != nil {
			t.Errorf("%v: %v", p.ours, err)
			continue
		}
		if got := asMap(t, ours.Interface()); !reflect.DeepEqual(got, sent) {
			t.Errorf("%v: sent %v\nread %v", p.ours, sent, got)
		}
	}
}

// A client that sets nothing must not be refused by the decoder, nulls included.
func TestWhatClientsSendEmptyIsRead(t *testing.T) {
	t.Parallel()
	for _, p := range inputs {
		b, err := json.Marshal(reflect.New(p.theirs).Interface())
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, reflect.New(p.ours).Interface()); err != nil {
			t.Errorf("%v: %s: %v", p.ours, b, err)
		}
	}
}

func TestWhatWeAnswerIsReadWholeByClients(t *testing.T) {
	t.Parallel()
	for _, p := range outputs {
		ours, theirs := reflect.New(p.ours), reflect.New(p.theirs)
		fill(t, ours.Elem())
		answered := asMap(t, ours.Interface())
		b, err := json.Marshal(answered)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, theirs.Interface()); err != nil {
			t.Errorf("%v: %v", p.theirs, err)
			continue
		}
		wantSubset(t, p.theirs.String(), asMap(t, theirs.Interface()), answered)
	}
}

// wantSubset demands that all of got stands in whole with the same value.
func wantSubset(t *testing.T, path string, got, whole any) {
	t.Helper()
	switch g := got.(type) {
	case map[string]any:
		w, _ := whole.(map[string]any)
		for name, v := range g {
			wantSubset(t, path+"."+name, v, w[name])
		}
	case []any:
		w, _ := whole.([]any)
		if len(w) != len(g) {
			t.Errorf("%s: %v, want %v", path, got, whole)
			return
		}
		for i := range g {
			wantSubset(t, path, g[i], w[i])
		}
	default:
		if !reflect.DeepEqual(got, whole) {
			t.Errorf("%s: the client has %v, we answered %v", path, got, whole)
		}
	}
}

// A member that a client's model neither points to nor may omit is demanded by the
// strict clients: an answer of ours must hold it whatever the state of the object.
func TestDemandedMembersAreNeverOmitted(t *testing.T) {
	t.Parallel()
	for _, p := range outputs {
		ours := memberNames(p.ours)
		for name, f := range memberNames(p.theirs) {
			demanded := f.Type.Kind() != reflect.Pointer && !strings.Contains(f.Tag.Get("json"), "omitempty")
			tag := ours[name].Tag.Get("json")
			if demanded && (strings.Contains(tag, "omit") || ours[name].Type.Kind() == reflect.Pointer) {
				t.Errorf("%v: %q is demanded by %v, but is a %v with tag %q", p.ours, name, p.theirs, ours[name].Type, tag)
			}
		}
	}
}

// names2 are the members of the models of the npm client 2.5.0.
var names2 = map[reflect.Type]string{
	reflect.TypeFor[apitype.ApplicationIn]():                "name throttleRate uid metadata",
	reflect.TypeFor[apitype.ApplicationPatch]():             "name throttleRate uid metadata",
	reflect.TypeFor[apitype.ApplicationOut]():               "uid name throttleRate id createdAt updatedAt metadata",
	reflect.TypeFor[apitype.EndpointIn]():                   "url description throttleRate uid disabled eventTypes channels secret metadata headers",
	reflect.TypeFor[apitype.EndpointUpdate]():               "url description throttleRate uid disabled eventTypes channels metadata",
	reflect.TypeFor[apitype.EndpointPatch]():                "description throttleRate uid url disabled eventTypes channels metadata",
	reflect.TypeFor[apitype.EndpointOut]():                  "id metadata url description throttleRate uid disabled eventTypes channels createdAt updatedAt",
	reflect.TypeFor[apitype.EndpointSecretOut]():            "key",
	reflect.TypeFor[apitype.EndpointSecretRotateIn]():       "key gracePeriodSeconds",
	reflect.TypeFor[apitype.EndpointHeadersIn]():            "headers",
	reflect.TypeFor[apitype.EndpointHeadersPatchIn]():       "headers deleteHeaders",
	reflect.TypeFor[apitype.EndpointHeadersOut]():           "headers sensitive",
	reflect.TypeFor[apitype.EndpointStats]():                "success pending sending fail canceled",
	reflect.TypeFor[apitype.EventExampleIn]():               "eventType exampleIndex",
	reflect.TypeFor[apitype.RecoverIn]():                    "since until",
	reflect.TypeFor[apitype.TaskRef]():                      "id status task updatedAt",
	reflect.TypeFor[apitype.EventTypeIn]():                  "name description archived deprecated schemas groupName featureFlags",
	reflect.TypeFor[apitype.EventTypeUpdate]():              "description archived deprecated schemas featureFlags groupName",
	reflect.TypeFor[apitype.EventTypePatch]():               "description archived deprecated schemas featureFlags groupName",
	reflect.TypeFor[apitype.EventTypeOut]():                 "name description archived deprecated schemas createdAt updatedAt groupName featureFlags featureFlag",
	reflect.TypeFor[apitype.MessageIn]():                    "eventId eventType payload channels application tags transformationsParams deliverAt payloadRetentionPeriod payloadRetentionHours",
	reflect.TypeFor[apitype.MessageOut]():                   "eventId eventType payload channels id timestamp tags deliverAt",
	reflect.TypeFor[apitype.MessageAttemptOut]():            "url response responseStatusCode responseDurationMs status statusText triggerType msgId endpointId id timestamp msg",
	reflect.TypeFor[apitype.EndpointMessageOut]():           "status statusText nextAttempt eventId eventType payload channels id timestamp tags deliverAt",
	reflect.TypeFor[apitype.MessageEndpointOut]():           "id status statusText nextAttempt url description throttleRate uid disabled eventTypes channels createdAt updatedAt",
	reflect.TypeFor[apitype.PortalAccessIn]():               "application readOnly capabilities featureFlags expiry sessionId",
	reflect.TypeFor[apitype.PortalAccessOut]():              "url token",
	reflect.TypeFor[apitype.TokenExpireIn]():                "expiry sessionIds",
	reflect.TypeFor[apitype.TaskOut]():                      "data id status task updatedAt",
	reflect.TypeFor[apitype.APITokenOut]():                  "token id name createdAt expiresAt scopes",
	reflect.TypeFor[apitype.List[apitype.ApplicationOut]](): "data iterator prevIterator done",
}

func TestEveryMemberOfTheNewerClientsModelsIsThere(t *testing.T) {
	t.Parallel()
	for typ, names := range names2 {
		ours := memberNames(typ)
		for _, name := range strings.Fields(names) {
			if _, ok := ours[name]; !ok {
				t.Errorf("%v lacks %q", typ, name)
			}
		}
	}
}
