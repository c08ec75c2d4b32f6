package hook

import (
	"net/netip"
	"time"
)

// MemberRecord is a Member.
type MemberRecord struct {
	ID              ID        `json:"id"`
	Email           string    `json:"email"`
	Name            string    `json:"name"`
	Role            Role      `json:"role"`
	MayReadPayloads bool      `json:"may_read_payloads,omitzero"`
	Password        string    `json:"password,omitzero"` // a salted hash
	Subject         string    `json:"subject,omitzero"`
	CreatedAt       time.Time `json:"created_at"`
	UpdatedAt       time.Time `json:"updated_at"`
	SeenAt          time.Time `json:"seen_at,omitzero"`
}

// RecordKind implements Record.
func (*MemberRecord) RecordKind() RecordKind { return RecordMember }

// PasskeyRecord is a Passkey.
type PasskeyRecord struct {
	ID         ID        `json:"id"`
	Member     ID        `json:"member"`
	Credential []byte    `json:"credential"`
	Name       string    `json:"name"`
	Data       []byte    `json:"data"`
	CreatedAt  time.Time `json:"created_at"`
	UsedAt     time.Time `json:"used_at,omitzero"`
}

// RecordKind implements Record.
func (*PasskeyRecord) RecordKind() RecordKind { return RecordPasskey }

// AuditRecord is an AuditEntry.
type AuditRecord struct {
	ID      ID         `json:"id"`
	Env     ID         `json:"env,omitzero"`
	Actor   ActorKind  `json:"actor"`
	ActorID ID         `json:"actor_id,omitzero"`
	Name    string     `json:"name"`
	Action  string     `json:"action"`
	Target  string     `json:"target"`
	Address netip.Addr `json:"address,omitzero"`
}

// RecordKind implements Record.
func (*AuditRecord) RecordKind() RecordKind { return RecordAudit }
