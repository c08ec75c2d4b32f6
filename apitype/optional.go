package apitype

import (
	"encoding/json"
	"reflect"
	"time"
)

// Optional is a JSON member that is absent, null or a value of type T. The zero
// value is absent. Struct fields of this type carry `json:",omitzero"`, so that an
// absent one is not written.
type Optional[T any] struct {
	value T
	state presence
}

type presence uint8

const (
	absent presence = iota
	null
	present
)

// Some returns an Optional that holds v.
func Some[T any](v T) Optional[T] { return Optional[T]{value: v, state: present} }

// Null returns an Optional that was written as null.
func Null[T any]() Optional[T] { return Optional[T]{state: null} }

// FromPointer returns null for a nil pointer, else the value it points to.
func FromPointer[T any](p *T) Optional[T] {
	if p == nil {
		return Null[T]()
	}
	return Some(*p)
}

// IsZero reports whether the member is absent; encoding/json asks it for omitzero.
func (o Optional[T]) IsZero() bool { return o.state == absent }

// IsNull reports whether the member is there and null.
func (o Optional[T]) IsNull() bool { return o.state == null }

// Get returns the value, and false if the member is absent or null.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == present }

// Else returns the value, or def if the member is absent or null.
func (o Optional[T]) Else(def T) T {
	if o.state == present {
		return o.value
	}
	return def
}

// Pointer returns a pointer to a copy of the value, nil if absent or null.
func (o Optional[T]) Pointer() *T {
	if o.state != present {
		return nil
	}
	return &o.value
}

// Or returns o unless it is absent, else older: for a fact with two names.
func (o Optional[T]) Or(older Optional[T]) Optional[T] {
	if o.state == absent {
		return older
	}
	return o
}

// Patch returns what becomes of current: kept if the member is absent, nil if it is
// null, else a pointer to the new value.
func (o Optional[T]) Patch(current *T) *T {
	if o.state == absent {
		return current
	}
	return o.Pointer()
}

// MarshalJSON writes the value, or null if there is none.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state != present {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads a null or a value. encoding/json calls it only for a member
// that is there. The error is the decoder's own, unwrapped, so that the caller's
// decoder can add the path of the member to a type error.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}

// OptionalType pairs an instantiation of [Optional] with the pointer type that has
// the same JSON when present.
type OptionalType struct {
	Optional reflect.Type
	Pointer  reflect.Type
}

// OptionalTypes lists every instantiation that this package uses. A generator that
// works by reflection, as the one of the OpenAPI document, cannot see through
// Optional and takes the pointer type in its place.
func OptionalTypes() []OptionalType {
	return []OptionalType{
		optionalType[bool](),
		optionalType[int32](),
		optionalType[int64](),
		optionalType[uint16](),
		optionalType[uint32](),
		optionalType[uint64](),
		optionalType[string](),
		optionalType[time.Time](),
		optionalType[[]string](),
		optionalType[[]PortalCapability](),
		optionalType[map[string]string](),
		optionalType[map[string]*string](),
		optionalType[map[string]json.RawMessage](),
		optionalType[ApplicationIn](),
		optionalType[TransformationsParams](),
		optionalType[json.RawMessage](),
		optionalType[[]SourceSecretIn](),
		optionalType[[]SourceResponse](),
		optionalType[[]SourceRoute](),
		optionalType[SourceDedupe](),
		optionalType[SourcePick](),
		optionalType[SourceCron](),
		optionalType[RequestTarget](),
		optionalType[MemberRole](),
		optionalType[EnvironmentKind](),
		optionalType[PasswordChange](),
		optionalType[IssueState](),
		optionalType[int](),
		optionalType[PortalThemePatch](),
		optionalType[PortalFont](),
		optionalType[PortalMode](),
		optionalType[[]PortalPart](),
		optionalType[PortalTexts](),
	}
}

func optionalType[T any]() OptionalType {
	return OptionalType{Optional: reflect.TypeFor[Optional[T]](), Pointer: reflect.TypeFor[*T]()}
}
