package apitype_test

import (
	"go/ast"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/grapnelhq/grapnel/apitype"
)

// structs are all types that travel as a JSON object; TestStructsIsComplete holds the list.
var structs = []reflect.Type{
	reflect.TypeFor[apitype.AttemptHeadersOut](), reflect.TypeFor[apitype.AuditActor](), reflect.TypeFor[apitype.AuditOut](),
	reflect.TypeFor[apitype.EnvironmentIn](), reflect.TypeFor[apitype.EnvironmentOut](), reflect.TypeFor[apitype.EnvironmentPatch](),
	reflect.TypeFor[apitype.LinkIn](), reflect.TypeFor[apitype.LinkOut](), reflect.TypeFor[apitype.MemberCreateOut](),
	reflect.TypeFor[apitype.MemberIn](), reflect.TypeFor[apitype.MemberLinkIn](), reflect.TypeFor[apitype.MemberLinkOut](),
	reflect.TypeFor[apitype.MemberOut](), reflect.TypeFor[apitype.MemberPatch](), reflect.TypeFor[apitype.OwnMemberPatch](),
	reflect.TypeFor[apitype.PasskeyBeginOut](), reflect.TypeFor[apitype.PasskeyFinishIn](), reflect.TypeFor[apitype.PasskeyOut](),
	reflect.TypeFor[apitype.PasswordChange](), reflect.TypeFor[apitype.SessionListed](), reflect.TypeFor[apitype.SessionMember](),
	reflect.TypeFor[apitype.SessionOut](), reflect.TypeFor[apitype.SetupIn](), reflect.TypeFor[apitype.SignInIn](),
	reflect.TypeFor[apitype.SignInMethods](), reflect.TypeFor[apitype.SignInProvider](),
	reflect.TypeFor[apitype.APITokenCensoredOut](), reflect.TypeFor[apitype.APITokenExpireIn](), reflect.TypeFor[apitype.APITokenIn](),
	reflect.TypeFor[apitype.APITokenOut](), reflect.TypeFor[apitype.ApplicationIn](), reflect.TypeFor[apitype.ApplicationOut](),
	reflect.TypeFor[apitype.ApplicationPatch](), reflect.TypeFor[apitype.AttemptTimings](), reflect.TypeFor[apitype.DeliveryOut](),
	reflect.TypeFor[apitype.DeliveryStatus](), reflect.TypeFor[apitype.Empty](), reflect.TypeFor[apitype.EndpointFacts](),
	reflect.TypeFor[apitype.EndpointHeadersIn](), reflect.TypeFor[apitype.EndpointHeadersOut](), reflect.TypeFor[apitype.EndpointHeadersPatchIn](),
	reflect.TypeFor[apitype.EndpointIn](), reflect.TypeFor[apitype.EndpointMessageOut](), reflect.TypeFor[apitype.EndpointOut](),
	reflect.TypeFor[apitype.EndpointPatch](), reflect.TypeFor[apitype.EndpointSecretOut](), reflect.TypeFor[apitype.EndpointSecretRotateIn](),
	reflect.TypeFor[apitype.EndpointStats](), reflect.TypeFor[apitype.EndpointUpdate](), reflect.TypeFor[apitype.Error](),
	reflect.TypeFor[apitype.ErrorItem](), reflect.TypeFor[apitype.EventExampleIn](), reflect.TypeFor[apitype.EventTypeIn](),
	reflect.TypeFor[apitype.EventTypeOut](), reflect.TypeFor[apitype.EventTypePatch](), reflect.TypeFor[apitype.EventTypeUpdate](),
	reflect.TypeFor[apitype.ExplainEndpoint](), reflect.TypeFor[apitype.ExplainMessage](), reflect.TypeFor[apitype.ExplainOut](),
	reflect.TypeFor[apitype.List[apitype.EndpointOut]](), reflect.TypeFor[apitype.MessageAttemptOut](), reflect.TypeFor[apitype.MessageBatchItem](),
	reflect.TypeFor[apitype.MessageBatchOut](), reflect.TypeFor[apitype.MessageCreateOut](), reflect.TypeFor[apitype.MessageEndpointOut](),
	reflect.TypeFor[apitype.MessageIn](), reflect.TypeFor[apitype.MessageOut](), reflect.TypeFor[apitype.PortalAccessIn](),
	reflect.TypeFor[apitype.PortalAccessOut](), reflect.TypeFor[apitype.RecoverIn](), reflect.TypeFor[apitype.TaskOut](),
	reflect.TypeFor[apitype.TaskRef](), reflect.TypeFor[apitype.TokenExpireIn](), reflect.TypeFor[apitype.TransformationsParams](),
	reflect.TypeFor[apitype.WhoamiOut](),
	reflect.TypeFor[apitype.Finding](), reflect.TypeFor[apitype.ReplayAttempt](), reflect.TypeFor[apitype.ReplayedMessage](),
	reflect.TypeFor[apitype.RequestFacts](), reflect.TypeFor[apitype.RequestOut](), reflect.TypeFor[apitype.RequestPatch](),
	reflect.TypeFor[apitype.RequestPurgeIn](), reflect.TypeFor[apitype.RequestPurgeOut](), reflect.TypeFor[apitype.RequestReplayIn](),
	reflect.TypeFor[apitype.RequestReplayOut](), reflect.TypeFor[apitype.RequestTarget](), reflect.TypeFor[apitype.RequestVerifyIn](),
	reflect.TypeFor[apitype.RotateTokenOut](), reflect.TypeFor[apitype.SourceCron](), reflect.TypeFor[apitype.SourceDedupe](),
	reflect.TypeFor[apitype.SourceIn](), reflect.TypeFor[apitype.SourceOut](),
	reflect.TypeFor[apitype.SourcePatch](), reflect.TypeFor[apitype.SourcePick](), reflect.TypeFor[apitype.SourceResponse](),
	reflect.TypeFor[apitype.SourceRoute](), reflect.TypeFor[apitype.SourceSecretIn](), reflect.TypeFor[apitype.SourceSecretOut](),
	reflect.TypeFor[apitype.SourceSecretRotateIn](), reflect.TypeFor[apitype.SourceSecretText](), reflect.TypeFor[apitype.SourceSecretsOut](),
	reflect.TypeFor[apitype.SourceTypeOut](), reflect.TypeFor[apitype.SourceRow](), reflect.TypeFor[apitype.SourceRequest](),
	reflect.TypeFor[apitype.MessageRow](), reflect.TypeFor[apitype.DeliveryCounts](), reflect.TypeFor[apitype.MessageRows](), reflect.TypeFor[apitype.RequestRow](),
	reflect.TypeFor[apitype.RequestRows](), reflect.TypeFor[apitype.CountOut](), reflect.TypeFor[apitype.SearchFields](), reflect.TypeFor[apitype.SearchField](),
	reflect.TypeFor[apitype.Searched](), reflect.TypeFor[apitype.EndpointRow](), reflect.TypeFor[apitype.EndpointRows](), reflect.TypeFor[apitype.HealthOut](),
	reflect.TypeFor[apitype.HealthHour](), reflect.TypeFor[apitype.EndpointHealth](), reflect.TypeFor[apitype.HealthDetail](), reflect.TypeFor[apitype.OutcomeCount](),
	reflect.TypeFor[apitype.OverviewOut](), reflect.TypeFor[apitype.OverviewTiles](), reflect.TypeFor[apitype.OverviewPoint](), reflect.TypeFor[apitype.Attention](),
	reflect.TypeFor[apitype.IssueOut](), reflect.TypeFor[apitype.IssuePatch](), reflect.TypeFor[apitype.IssueRecoverIn](), reflect.TypeFor[apitype.IssueRows](),
	reflect.TypeFor[apitype.RecoverRange](), reflect.TypeFor[apitype.ApplicationRow](), reflect.TypeFor[apitype.EndpointCounts](),
	reflect.TypeFor[apitype.OneTimeTokenIn](), reflect.TypeFor[apitype.PortalTokenOut](), reflect.TypeFor[apitype.PortalTexts](), reflect.TypeFor[apitype.PortalTheme](),
	reflect.TypeFor[apitype.SettingsOut](), reflect.TypeFor[apitype.SettingsPatch](), reflect.TypeFor[apitype.PortalThemePatch](), reflect.TypeFor[apitype.PortalColors](),
	reflect.TypeFor[apitype.PortalConfigOut](), reflect.TypeFor[apitype.LiveMessage](), reflect.TypeFor[apitype.LiveAttempt](), reflect.TypeFor[apitype.LiveRequest](),
	reflect.TypeFor[apitype.LiveTask](), reflect.TypeFor[apitype.LiveEvent](), reflect.TypeFor[apitype.SystemCheck](), reflect.TypeFor[apitype.SystemStore](),
	reflect.TypeFor[apitype.SystemTable](), reflect.TypeFor[apitype.SystemQueue](), reflect.TypeFor[apitype.SystemNode](), reflect.TypeFor[apitype.SystemSetting](),
	reflect.TypeFor[apitype.SystemOut](),
}

// notObjects are exported structs that are no JSON object. The frames of the WebSocket,
// whose names begin with Listen, are in no document either.
var notObjects = map[string]bool{"Optional": true, "OptionalType": true, "ErrorDetail": true}

func TestStructsIsComplete(t *testing.T) {
	t.Parallel()
	declared, listed := map[string]bool{}, map[string]bool{}
	_, files := parseSources(t)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if ts, ok := n.(*ast.TypeSpec); ok && ts.Name.IsExported() && !notObjects[ts.Name.Name] && !strings.HasPrefix(ts.Name.Name, "Listen") {
				if _, ok := ts.Type.(*ast.StructType); ok {
					declared[ts.Name.Name] = true
				}
			}
			return true
		})
	}
	for _, typ := range structs {
		name, _, _ := strings.Cut(typ.Name(), "[")
		listed[name] = true
	}
	if got, want := keys(listed), keys(declared); !reflect.DeepEqual(got, want) {
		t.Errorf("listed\n%v\ndeclared\n%v", got, want)
	}
}

// errorDetail stands for apitype.ErrorDetail in the document.
type errorDetail struct{}

func (errorDetail) Schema(r huma.Registry) *huma.Schema {
	item := r.Schema(reflect.TypeFor[apitype.ErrorItem](), true, "")
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString},
		{Type: huma.TypeArray, Items: item},
	}}
}

func newRegistry() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	for _, o := range apitype.OptionalTypes() {
		r.RegisterTypeAlias(o.Optional, o.Pointer)
	}
	r.RegisterTypeAlias(reflect.TypeFor[apitype.ErrorDetail](), reflect.TypeFor[errorDetail]())
	return r
}

func TestEveryStructHasASchemaInWhichEachMemberIsDescribed(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	for _, typ := range structs {
		ref := r.Schema(typ, true, "")
		s := r.SchemaFromRef(ref.Ref)
		for name, f := range memberNames(typ) {
			p := s.Properties[name]
			if p == nil {
				t.Errorf("%v.%s has no schema", typ, name)
				continue
			}
			doc := f.Tag.Get("doc")
			if len(doc) < 10 {
				t.Errorf("%v.%s: doc %q says nothing", typ, name, doc)
			}
			if p.Ref == "" && p.Description != doc {
				t.Errorf("%v.%s: description %q", typ, name, p.Description)
			}
		}
	}
	for name := range r.Map() {
		if strings.Contains(name, "Optional") {
			t.Errorf("the document shows %s", name)
		}
	}
}

func TestOptionalMembersAreOptionalInTheSchema(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	for _, typ := range structs {
		s := r.SchemaFromRef(r.Schema(typ, true, "").Ref)
		required := map[string]bool{}
		for _, name := range s.Required {
			required[name] = true
		}
		for name, f := range memberNames(typ) {
			optional := strings.HasPrefix(f.Type.Name(), "Optional[")
			omit := strings.Contains(f.Tag.Get("json"), ",omit")
			if optional && !strings.HasSuffix(f.Tag.Get("json"), ",omitzero") {
				t.Errorf("%v.%s is Optional without omitzero", typ, name)
			}
			if required[name] == omit {
				t.Errorf("%v.%s: required %v, omitted if empty %v", typ, name, required[name], omit)
			}
			nullable := f.Tag.Get("nullable") != "false"
			p := s.Properties[name]
			if optional && p.Ref == "" && p.Type != "" && p.Type != huma.TypeObject && p.Nullable != nullable {
				t.Errorf("%v.%s: nullable is %v", typ, name, p.Nullable)
			}
		}
	}
}

func TestSchemaCarriesTheBounds(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	s := r.SchemaFromRef(r.Schema(reflect.TypeFor[apitype.EndpointIn](), true, "").Ref)
	rate, channels, uid := s.Properties["throttleRate"], s.Properties["channels"], s.Properties["uid"]
	if rate.Type != huma.TypeInteger || rate.Minimum == nil || *rate.Minimum != 1 || !rate.Nullable {
		t.Errorf("throttleRate: %+v", rate)
	}
	if channels.Type != huma.TypeArray || channels.MaxItems == nil || *channels.MaxItems != 10 || channels.Items.Type != huma.TypeString {
		t.Errorf("channels: %+v", channels)
	}
	if uid.Type != huma.TypeString || uid.MaxLength == nil || *uid.MaxLength != 256 {
		t.Errorf("uid: %+v", uid)
	}
	if !s.Properties["filterTypes"].Deprecated {
		t.Error("filterTypes is not marked as deprecated")
	}
	if detail := r.SchemaFromRef(r.Schema(reflect.TypeFor[apitype.Error](), true, "").Ref).Properties["detail"]; len(detail.OneOf) != 2 {
		t.Errorf("detail: %+v", detail)
	}
}
