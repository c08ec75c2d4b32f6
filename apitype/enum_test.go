package apitype_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/svix/svix-webhooks/go/models"

	"github.com/grapnelhq/grapnel/apitype"
)

// closedSets pairs each closed set of ours with the values that a client reads.
var closedSets = []struct {
	ours   []any
	theirs any // map keyed by the values
}{
	{[]any{apitype.Ascending, apitype.Descending}, models.OrderingFromString},
	{[]any{apitype.StatusSuccess, apitype.StatusPending, apitype.StatusFail, apitype.StatusSending, apitype.StatusCanceled}, models.MessageStatusFromInt64},
	{[]any{apitype.StatusTextSuccess, apitype.StatusTextPending, apitype.StatusTextFail, apitype.StatusTextSending, apitype.StatusTextCanceled}, models.MessageStatusTextFromString},
	{[]any{apitype.TriggerScheduled, apitype.TriggerManual}, models.MessageAttemptTriggerTypeFromInt64},
	{[]any{apitype.CodeNone, apitype.Code1xx, apitype.Code2xx, apitype.Code3xx, apitype.Code4xx, apitype.Code5xx}, models.StatusCodeClassFromInt64},
	{[]any{apitype.TaskRunning, apitype.TaskFinished, apitype.TaskFailed}, models.BackgroundTaskStatusFromString},
	{[]any{
		apitype.TaskEndpointReplay, apitype.TaskEndpointRecover, apitype.TaskEndpointBulkReplay, apitype.TaskApplicationStats,
		apitype.TaskPurgeContent, apitype.TaskMessageBroadcast, apitype.TaskSDKGenerate, apitype.TaskEventTypeAggregate,
	}, models.BackgroundTaskTypeFromString},
	{[]any{
		apitype.ViewBase, apitype.ViewEndpointSecret, apitype.ManageEndpointSecret,
		apitype.ManageTransformations, apitype.CreateAttempts, apitype.ManageEndpoint,
	}, models.AppPortalCapabilityFromString},
}

// openSets are sets of ours that no client of others reads.
var openSets = [][]any{
	{apitype.DeliveryPending, apitype.DeliverySending, apitype.DeliveryDelivered, apitype.DeliveryFailed, apitype.DeliveryCanceled},
	{apitype.VerdictDelivered, apitype.VerdictPending, apitype.VerdictSending, apitype.VerdictFailed, apitype.VerdictCanceled, apitype.VerdictNotMatched},
	{apitype.PermissionOIDC, apitype.PermissionJWT, apitype.PermissionRegional, apitype.PermissionGlobal, apitype.PermissionUnknown},
	{apitype.TokenEnvironment, apitype.TokenApplication},
	{apitype.SearchText, apitype.SearchWord, apitype.SearchNumber, apitype.SearchSize, apitype.SearchTime, apitype.SearchJSON},
	{apitype.EndpointActive, apitype.EndpointFailing, apitype.EndpointDisabled},
	{apitype.IssueOpen, apitype.IssueMuted, apitype.IssueResolved},
	{apitype.SeverityError, apitype.SeverityWarning, apitype.SeverityInfo},
	{
		apitype.AttentionNoNode, apitype.AttentionBacklog, apitype.AttentionEndpointDisabled,
		apitype.AttentionEndpointFailing, apitype.AttentionSourceRefused, apitype.AttentionSecretExpiring,
	},
	{apitype.PortalLight, apitype.PortalDark, apitype.PortalSystem},
	{apitype.FontInter, apitype.FontSystem, apitype.FontSerif, apitype.FontMono},
	{
		apitype.PartCatalogue, apitype.PartMessages, apitype.PartRecover, apitype.PartTest, apitype.PartChannels, apitype.PartHeaders,
		apitype.PartRateLimit,
	},
	{apitype.RoleViewer, apitype.RoleDeveloper, apitype.RoleAdmin, apitype.RoleOwner},
	{apitype.EnvironmentProduction, apitype.EnvironmentTest},
	{apitype.ByPassword, apitype.ByPasskey, apitype.ByOIDC, apitype.ByLink},
	{apitype.LinkSetup, apitype.LinkInvite, apitype.LinkReset, apitype.LinkSignIn},
	{apitype.ActorMember, apitype.ActorKey, apitype.ActorPortal, apitype.ActorSystem},
	{apitype.CheckOK, apitype.CheckWarn, apitype.CheckFail},
	{apitype.RequestAccepted, apitype.RequestDuplicate, apitype.RequestDiffers, apitype.RequestRefused, apitype.RequestHandshake},
}

func words(values []any) map[string]bool {
	m := map[string]bool{}
	for _, v := range values {
		m[fmt.Sprint(v)] = true
	}
	return m
}

func TestClosedSetsAreThoseOfTheClients(t *testing.T) {
	t.Parallel()
	for _, s := range closedSets {
		theirs := map[string]bool{}
		for _, k := range reflect.ValueOf(s.theirs).MapKeys() {
			theirs[fmt.Sprint(k.Interface())] = true
		}
		if got, want := keys(words(s.ours)), keys(theirs); !reflect.DeepEqual(got, want) {
			t.Errorf("%T: %v, the clients know %v", s.ours[0], got, want)
		}
	}
}

func TestStatusAndItsWordAgree(t *testing.T) {
	t.Parallel()
	want := map[apitype.MessageStatus]string{0: "success", 1: "pending", 2: "fail", 3: "sending", 4: "canceled"}
	if len(want) != len(models.MessageStatusFromInt64) {
		t.Errorf("the clients know %v", models.MessageStatusFromInt64)
	}
	for n, word := range want {
		if got := n.Text(); string(got) != word {
			t.Errorf("%d is %q, want %q", n, got, word)
		}
	}
	if got := apitype.MessageStatus(9).Text(); got != "" {
		t.Errorf("9 is %q", got)
	}
}

// The enum tag of a member must name exactly the constants of its type.
func TestEnumTagsNameTheConstants(t *testing.T) {
	t.Parallel()
	sets := map[reflect.Type]map[string]bool{}
	for _, s := range closedSets {
		sets[reflect.TypeOf(s.ours[0])] = words(s.ours)
	}
	for _, s := range openSets {
		sets[reflect.TypeOf(s[0])] = words(s)
	}
	for _, typ := range structs {
		for name, f := range memberNames(typ) {
			tag := f.Tag.Get("enum")
			set, isSet := sets[elemOf(f.Type)]
			if isSet != (tag != "") {
				t.Errorf("%v.%s: a %v with enum tag %q", typ, name, f.Type, tag)
				continue
			}
			if !isSet {
				continue
			}
			got := map[string]bool{}
			for _, w := range strings.Split(tag, ",") {
				got[w] = true
			}
			if !reflect.DeepEqual(got, set) {
				t.Errorf("%v.%s: enum tag %v, constants %v", typ, name, keys(got), keys(set))
			}
		}
	}
}

// elemOf goes through Optional, pointers and slices.
func elemOf(t reflect.Type) reflect.Type {
	for _, o := range apitype.OptionalTypes() {
		if o.Optional == t {
			t = o.Pointer
		}
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}
