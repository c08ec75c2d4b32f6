package apitype_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/svix/svix-webhooks/go/models"

	"github.com/grapnelhq/grapnel/apitype"
)

var sampleTime = time.Date(2026, 11, 23, 14, 10, 5, 120e6, time.UTC)

// samples are values for types whose set of values is limited.
var samples = map[reflect.Type]any{
	reflect.TypeFor[time.Time]():                  sampleTime,
	reflect.TypeFor[json.RawMessage]():            json.RawMessage(`{"a":[1,"<b>"]}`),
	reflect.TypeFor[any]():                        "any",
	reflect.TypeFor[apitype.MessageStatus]():      apitype.StatusFail,
	reflect.TypeFor[apitype.MessageStatusText]():  apitype.StatusTextFail,
	reflect.TypeFor[apitype.TriggerType]():        apitype.TriggerManual,
	reflect.TypeFor[apitype.TaskStatus]():         apitype.TaskFinished,
	reflect.TypeFor[apitype.TaskType]():           apitype.TaskEndpointRecover,
	reflect.TypeFor[apitype.PortalCapability]():   apitype.ViewBase,
	reflect.TypeFor[models.AppPortalCapability](): models.APPPORTALCAPABILITY_VIEW_BASE,
	reflect.TypeFor[apitype.RequestState]():       apitype.RequestRefused,
	reflect.TypeFor[models.IngestSourceInType]():  models.IngestSourceInTypeCron,
	// One type of many; what the others have in config is read by the server.
	reflect.TypeFor[models.IngestSourceInConfig](): models.CronConfig{Schedule: "@daily", Payload: "{}"},
}

// fill sets everything that can be reached from v: no nil, no zero, no empty list.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	if s, ok := samples[v.Type()]; ok {
		v.Set(reflect.ValueOf(s))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("text")
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(3)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Map:
		key, elem := reflect.ValueOf("name"), reflect.New(v.Type().Elem()).Elem()
		fill(t, elem)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, elem)
	case reflect.Struct:
		fillStruct(t, v)
	default:
		t.Fatalf("no sample for %v", v.Type())
	}
}

// fillStruct knows the clients' own optional type, utils.Nullable, by its Set method.
func fillStruct(t *testing.T, v reflect.Value) {
	t.Helper()
	if set := v.Addr().MethodByName("Set"); set.IsValid() {
		p := reflect.New(set.Type().In(0).Elem())
		fill(t, p.Elem())
		set.Call([]reflect.Value{p})
		return
	}
	for i := range v.NumField() {
		if _, is := v.Addr().Interface().(*apitype.SourceOut); is && v.Type().Field(i).Name == "Type" {
			v.Field(i).SetString("stripe") // clients refuse types that they do not know
			continue
		}
		if v.Type().Field(i).Name == "TransformationsParams" {
			p := map[string]any{"rawPayload": "text", "headers": map[string]any{"content-type": "text/plain"}}
			v.Field(i).Set(reflect.ValueOf(&p))
			continue
		}
		fill(t, v.Field(i))
	}
}

// asMap is v's JSON as a map.
func asMap(t *testing.T, v any) map[string]any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return m
}

// memberNames lists the JSON names of t, those of embedded structs included.
func memberNames(t reflect.Type) map[string]reflect.StructField {
	names := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names[name] = f
		}
	}
	return names
}
