package storetest

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var peopleTests = []test{
	{"a member comes back as it was stored", memberComesBack},
	{"the first member is made once", firstMemberIsMadeOnce},
	{"no two members share an address or a subject", membersAreApart},
	{"members are listed by id", membersAreListed},
	{"the last owner stays one", lastOwnerStays},
	{"a session comes back with its member as it is now", sessionComesBack},
	{"sessions end one by one or all but one", sessionsEnd},
	{"the last use of a session is kept, and of its member", sessionUseIsKept},
	{"a ticket is taken once, and not after its end", ticketIsTakenOnce},
	{"a newer ticket of a member takes the place of the older one", newerTicketCounts},
	{"passkeys are kept by credential", passkeysAreKept},
	{"a member goes with everything of its own", memberGoesWhole},
	{"what has ended is removed", endedPeopleAreRemoved},
	{"the audit log is listed newest first, of one environment or of all", auditsAreListed},
	{"an environment is changed", environmentIsChanged},
}

// newMember stores a member, known by its e-mail address.
func (f *fixture) newMember(email string, change ...func(*hook.Member)) hook.Member {
	f.Helper()
	m := hook.Member{ID: hook.NewID(f.now), Email: email, Name: email, Role: hook.RoleOwner, CreatedAt: f.now, UpdatedAt: f.now}
	for _, c := range change {
		c(&m)
	}
	f.must(f.store.CreateMember(f.ctx, &m, false))
	return m
}

func memberComesBack(f *fixture) {
	plain := f.newMember("plain@example.com")
	full := f.newMember("full@example.com", func(m *hook.Member) {
		m.Role, m.MayReadPayloads, m.Password, m.Subject, m.SeenAt = hook.RoleViewer, true, "$argon2id$x", "https://id.example.com 42", f.now
	})
	testx.Equal(f, testx.Must(f.store.FindMember(f.ctx, plain.ID))(f), plain)
	testx.Equal(f, testx.Must(f.store.FindMemberByEmail(f.ctx, full.Email))(f), full)
	testx.Equal(f, testx.Must(f.store.FindMemberBySubject(f.ctx, full.Subject))(f), full)
	for _, find := range []func() (hook.Member, error){
		func() (hook.Member, error) { return f.store.FindMember(f.ctx, hook.NewID(f.now)) },
		func() (hook.Member, error) { return f.store.FindMemberByEmail(f.ctx, "nobody@example.com") },
		func() (hook.Member, error) { return f.store.FindMemberBySubject(f.ctx, "") },
	} {
		_, err := find()
		testx.Code(f, err, hook.CodeNotFound)
	}
}

func firstMemberIsMadeOnce(f *fixture) {
	var made sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		made.Go(func() {
			m := hook.Member{ID: hook.NewID(f.now), Email: string(rune('a'+i)) + "@example.com", Role: hook.RoleOwner, CreatedAt: f.now, UpdatedAt: f.now}
			results[i] = f.store.CreateMember(f.ctx, &m, true)
		})
	}
	made.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		testx.Code(f, err, hook.CodeConflict)
	}
	testx.Equal(f, won, 1, "members made as the first one")
}

func membersAreApart(f *fixture) {
	f.newMember("a@example.com", func(m *hook.Member) { m.Subject = "s" })
	b := f.newMember("b@example.com")
	same := hook.Member{ID: hook.NewID(f.now), Email: "a@example.com", Role: hook.RoleViewer, CreatedAt: f.now, UpdatedAt: f.now}
	testx.Code(f, f.store.CreateMember(f.ctx, &same, false), hook.CodeConflict)
	_, err := f.store.UpdateMember(f.ctx, b.ID, func(m *hook.Member) error { m.Subject = "s"; return nil })
	testx.Code(f, err, hook.CodeConflict)
	_, err = f.store.UpdateMember(f.ctx, b.ID, func(m *hook.Member) error { m.Email = "a@example.com"; return nil })
	testx.Code(f, err, hook.CodeConflict)
	testx.Equal(f, testx.Must(f.store.FindMember(f.ctx, b.ID))(f), b)
}

func membersAreListed(f *fixture) {
	a := f.newMember("z@example.com")
	f.pass(time.Second)
	b := f.newMember("a@example.com")
	page := testx.Must(f.store.ListMembers(f.ctx, hook.Page{Limit: 1, Ascending: true}))(f)
	testx.Equal(f, page, hook.PageOf[hook.Member]{Items: []hook.Member{a}, More: true})
	page = testx.Must(f.store.ListMembers(f.ctx, hook.Page{Limit: 1, Ascending: true, From: a.ID}))(f)
	testx.Equal(f, page, hook.PageOf[hook.Member]{Items: []hook.Member{b}})
}

func lastOwnerStays(f *fixture) {
	a := f.newMember("a@example.com")
	viewer := func(m *hook.Member) error { m.Role = hook.RoleViewer; return nil }
	letGo := func(*hook.Member) error { return nil }
	_, err := f.store.UpdateMember(f.ctx, a.ID, viewer)
	testx.Code(f, err, hook.CodeConflict)
	testx.Code(f, f.store.DeleteMember(f.ctx, a.ID, letGo), hook.CodeConflict)
	b := f.newMember("b@example.com")
	no := errors.New("no")
	if err := f.store.DeleteMember(f.ctx, b.ID, func(*hook.Member) error { return no }); !errors.Is(err, no) {
		f.Errorf("a refused delete: %v", err)
	}
	testx.Must(f.store.UpdateMember(f.ctx, a.ID, viewer))(f)
	testx.Code(f, f.store.DeleteMember(f.ctx, b.ID, letGo), hook.CodeConflict)
	f.must(f.store.DeleteMember(f.ctx, a.ID, letGo))
	testx.Code(f, f.store.DeleteMember(f.ctx, a.ID, letGo), hook.CodeNotFound)
}

// newSession stores a session, known by its name.
func (f *fixture) newSession(m hook.ID, name string) hook.Session {
	f.Helper()
	s := hook.Session{
		ID: hook.NewID(f.now), Member: m, Hash: sha256.Sum256([]byte(name)), Method: hook.ByPasskey, Agent: "Browser/1",
		Address: netip.MustParseAddr("2001:db8::1"), CreatedAt: f.now, UsedAt: f.now,
	}
	f.must(f.store.CreateSession(f.ctx, &s))
	return s
}

func sessionComesBack(f *fixture) {
	m := f.newMember("a@example.com")
	s := f.newSession(m.ID, "s")
	m = testx.Must(f.store.UpdateMember(f.ctx, m.ID, func(m *hook.Member) error { m.Name = "another"; return nil }))(f)
	got, of, err := f.store.FindSession(f.ctx, s.Hash)
	f.must(err)
	testx.Equal(f, got, s)
	testx.Equal(f, of, m)
	_, _, err = f.store.FindSession(f.ctx, [32]byte{1})
	testx.Code(f, err, hook.CodeNotFound)
	s.ID, s.Hash, s.Member = hook.NewID(f.now), [32]byte{2}, hook.NewID(f.now)
	testx.Code(f, f.store.CreateSession(f.ctx, &s), hook.CodeNotFound)
}

func (f *fixture) sessions(m hook.ID) (names int) {
	f.Helper()
	return len(testx.Must(f.store.ListSessions(f.ctx, m, 10))(f))
}

func sessionsEnd(f *fixture) {
	m, other := f.newMember("a@example.com"), f.newMember("b@example.com")
	a := f.newSession(m.ID, "a")
	f.pass(time.Second)
	b := f.newSession(m.ID, "b")
	f.newSession(m.ID, "c")
	f.newSession(other.ID, "other")
	testx.Equal(f, testx.Must(f.store.ListSessions(f.ctx, m.ID, 10))(f)[2], a, "the oldest is the last")
	testx.Code(f, f.store.EndSession(f.ctx, other.ID, a.ID), hook.CodeNotFound)
	f.must(f.store.EndSession(f.ctx, m.ID, a.ID))
	testx.Code(f, f.store.EndSession(f.ctx, m.ID, a.ID), hook.CodeNotFound)
	f.must(f.store.EndSessions(f.ctx, m.ID, b.ID))
	testx.Equal(f, testx.Must(f.store.ListSessions(f.ctx, m.ID, 10))(f), []hook.Session{b})
	f.must(f.store.EndSessions(f.ctx, m.ID, hook.ID{}))
	testx.Equal(f, f.sessions(m.ID), 0)
	testx.Equal(f, f.sessions(other.ID), 1)
}

func sessionUseIsKept(f *fixture) {
	m := f.newMember("a@example.com")
	s := f.newSession(m.ID, "s")
	used := f.now.Add(time.Minute)
	f.must(f.store.TouchSessions(f.ctx, []hook.SessionUse{{Session: s.ID, At: used}, {Session: hook.NewID(f.now), At: used}}))
	f.must(f.store.TouchSessions(f.ctx, []hook.SessionUse{{Session: s.ID, At: f.now}}))
	f.must(f.store.TouchSessions(f.ctx, nil))
	got, of, err := f.store.FindSession(f.ctx, s.Hash)
	f.must(err)
	testx.Equal(f, got.UsedAt, used)
	testx.Equal(f, of.SeenAt, used)
}

func (f *fixture) newTicket(name string, kind hook.TicketKind, member hook.ID, life time.Duration) hook.Ticket {
	f.Helper()
	t := hook.Ticket{Hash: sha256.Sum256([]byte(name)), Kind: kind, Member: member, Data: []byte(name), CreatedAt: f.now, ExpiresAt: f.now.Add(life)}
	f.must(f.store.CreateTicket(f.ctx, &t))
	return t
}

func ticketIsTakenOnce(f *fixture) {
	t := f.newTicket("t", hook.TicketSetup, hook.ID{}, time.Minute)
	testx.Equal(f, testx.Must(f.store.FindTicket(f.ctx, t.Hash, f.now))(f), t)
	_, err := f.store.FindTicket(f.ctx, t.Hash, t.ExpiresAt)
	testx.Code(f, err, hook.CodeNotFound)
	_, err = f.store.TakeTicket(f.ctx, t.Hash, t.ExpiresAt)
	testx.Code(f, err, hook.CodeNotFound)
	var callers sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		callers.Go(func() { _, results[i] = f.store.TakeTicket(f.ctx, t.Hash, f.now) })
	}
	callers.Wait()
	got := 0
	for _, err := range results {
		if err == nil {
			got++
			continue
		}
		testx.Code(f, err, hook.CodeNotFound)
	}
	testx.Equal(f, got, 1, "callers who got the ticket")
}

func newerTicketCounts(f *fixture) {
	m := f.newMember("a@example.com")
	old := f.newTicket("old", hook.TicketReset, m.ID, time.Hour)
	other := f.newTicket("other", hook.TicketInvite, m.ID, time.Hour)
	f.newTicket("new", hook.TicketReset, m.ID, time.Hour)
	_, err := f.store.FindTicket(f.ctx, old.Hash, f.now)
	testx.Code(f, err, hook.CodeNotFound)
	testx.Equal(f, testx.Must(f.store.FindTicket(f.ctx, other.Hash, f.now))(f), other)
	lost := hook.Ticket{Hash: [32]byte{9}, Kind: hook.TicketReset, Member: hook.NewID(f.now), CreatedAt: f.now, ExpiresAt: f.now.Add(time.Hour)}
	testx.Code(f, f.store.CreateTicket(f.ctx, &lost), hook.CodeNotFound)
}

func (f *fixture) newPasskey(m hook.ID, credential string) hook.Passkey {
	f.Helper()
	p := hook.Passkey{ID: hook.NewID(f.now), Member: m, Credential: []byte(credential), Name: "key", Data: []byte(`{"n":1}`), CreatedAt: f.now}
	f.must(f.store.CreatePasskey(f.ctx, &p))
	return p
}

func passkeysAreKept(f *fixture) {
	m, other := f.newMember("a@example.com"), f.newMember("b@example.com")
	p := f.newPasskey(m.ID, "c")
	again := p
	again.ID, again.Member = hook.NewID(f.now), other.ID
	testx.Code(f, f.store.CreatePasskey(f.ctx, &again), hook.CodeConflict)
	again.Credential, again.Member = []byte("d"), hook.NewID(f.now)
	testx.Code(f, f.store.CreatePasskey(f.ctx, &again), hook.CodeNotFound)
	p.Data, p.UsedAt = []byte(`{"n":2}`), f.now.Add(time.Hour)
	f.must(f.store.UsePasskey(f.ctx, p.ID, p.Data, p.UsedAt))
	testx.Equal(f, testx.Must(f.store.ListPasskeys(f.ctx, m.ID))(f), []hook.Passkey{p})
	testx.Code(f, f.store.DeletePasskey(f.ctx, other.ID, p.ID), hook.CodeNotFound)
	f.must(f.store.DeletePasskey(f.ctx, m.ID, p.ID))
	testx.Code(f, f.store.UsePasskey(f.ctx, p.ID, p.Data, f.now), hook.CodeNotFound)
}

func memberGoesWhole(f *fixture) {
	f.newMember("owner@example.com")
	m := f.newMember("a@example.com")
	s := f.newSession(m.ID, "s")
	t := f.newTicket("t", hook.TicketReset, m.ID, time.Hour)
	f.newPasskey(m.ID, "c")
	f.must(f.store.DeleteMember(f.ctx, m.ID, func(*hook.Member) error { return nil }))
	_, _, err := f.store.FindSession(f.ctx, s.Hash)
	testx.Code(f, err, hook.CodeNotFound)
	_, err = f.store.FindTicket(f.ctx, t.Hash, f.now)
	testx.Code(f, err, hook.CodeNotFound)
	testx.Equal(f, len(testx.Must(f.store.ListPasskeys(f.ctx, m.ID))(f)), 0)
}

func endedPeopleAreRemoved(f *fixture) {
	m := f.newMember("a@example.com")
	f.newSession(m.ID, "idle")
	used := f.newSession(m.ID, "used")
	t := f.newTicket("t", hook.TicketInvite, m.ID, hook.SessionIdle)
	entry := f.newAudit(f.env)
	f.pass(hook.SessionIdle)
	f.must(f.store.TouchSessions(f.ctx, []hook.SessionUse{{Session: used.ID, At: f.now}}))
	f.expireAll()
	testx.Equal(f, f.sessions(m.ID), 1, "sessions after one was idle for too long")
	_, err := f.store.FindTicket(f.ctx, t.Hash, noon)
	testx.Code(f, err, hook.CodeNotFound)
	f.pass(hook.SessionLife - hook.SessionIdle)
	f.must(f.store.TouchSessions(f.ctx, []hook.SessionUse{{Session: used.ID, At: f.now}}))
	f.expireAll()
	testx.Equal(f, f.sessions(m.ID), 0, "sessions after their life")
	testx.Equal(f, f.audits(hook.ID{}), []hook.AuditEntry{entry})
	f.pass(hook.AuditLife)
	f.expireAll()
	testx.Equal(f, len(f.audits(hook.ID{})), 0, "entries of the audit log after a year")
}

// expireAll runs upkeep, with everything else kept for ever, until nothing is left to do.
func (f *fixture) expireAll() {
	f.Helper()
	for range 20 {
		testx.Must(f.store.Expire(f.ctx, hook.Retention{}, f.now))(f)
	}
}

func (f *fixture) newAudit(env hook.ID) hook.AuditEntry {
	f.Helper()
	f.pass(time.Second)
	e := hook.AuditEntry{
		ID: hook.NewID(f.now), Env: env, Actor: hook.ActorMember, ActorID: hook.NewID(f.now), Name: "ada@example.com",
		Action: "endpoint.delete", Target: "/app/x/endpoint/y", Address: netip.MustParseAddr("192.0.2.1"),
	}
	f.must(f.store.WriteAudit(f.ctx, &e))
	return e
}

func (f *fixture) audits(env hook.ID) []hook.AuditEntry {
	f.Helper()
	return testx.Must(f.store.ListAudits(f.ctx, hook.AuditFilter{Env: env, Page: hook.Page{Limit: 10}}))(f).Items
}

func auditsAreListed(f *fixture) {
	other := f.newEnvironment("other")
	a, b := f.newAudit(f.env), f.newAudit(hook.ID{})
	c := f.newAudit(other)
	testx.Equal(f, f.audits(hook.ID{}), []hook.AuditEntry{c, b, a})
	testx.Equal(f, f.audits(f.env), []hook.AuditEntry{a})
	testx.Equal(f, f.audits(other), []hook.AuditEntry{c})
	page := testx.Must(f.store.ListAudits(f.ctx, hook.AuditFilter{After: b.ID.Time(), Before: c.ID.Time(), Page: hook.Page{Limit: 1}}))(f)
	testx.Equal(f, page, hook.PageOf[hook.AuditEntry]{Items: []hook.AuditEntry{b}})
	system := hook.AuditEntry{ID: hook.NewID(f.now.Add(time.Hour)), Actor: hook.ActorSystem, Action: "x"}
	f.must(f.store.WriteAudit(f.ctx, &system))
	testx.Equal(f, f.audits(hook.ID{})[0], system)
}

func environmentIsChanged(f *fixture) {
	change := func(e *hook.Environment) error {
		e.Name, e.Kind = "another", hook.EnvironmentTest
		return nil
	}
	want := testx.Must(f.store.UpdateEnvironment(f.ctx, f.env, change))(f)
	testx.Equal(f, want, hook.Environment{ID: f.env, Name: "another", Kind: hook.EnvironmentTest, CreatedAt: noon})
	testx.Equal(f, testx.Must(f.store.ListEnvironments(f.ctx))(f), []hook.Environment{want})
	_, err := f.store.UpdateEnvironment(f.ctx, hook.NewID(f.now), change)
	testx.Code(f, err, hook.CodeNotFound)
	no := errors.New("no")
	if _, err := f.store.UpdateEnvironment(f.ctx, f.env, func(*hook.Environment) error { return no }); !errors.Is(err, no) {
		f.Errorf("a refused change: %v", err)
	}
}

func peopleAreMoved(f *fixture, empty func() store.Store) {
	testx.Must(f.store.UpdateEnvironment(f.ctx, f.env, func(e *hook.Environment) error { e.Kind = hook.EnvironmentTest; return nil }))(f)
	m := f.newMember("a@example.com", func(m *hook.Member) {
		m.Password, m.Subject, m.SeenAt, m.MayReadPayloads = "$argon2id$x", "s", f.now, true
	})
	p, s := f.newPasskey(m.ID, "c"), f.newSession(m.ID, "s")
	a, b := f.newAudit(f.env), f.newAudit(hook.ID{})
	to := empty()
	load(f, to, dump(f, f.store))
	testx.Equal(f, testx.Must(to.FindMember(f.ctx, m.ID))(f), m)
	testx.Equal(f, testx.Must(to.ListPasskeys(f.ctx, m.ID))(f), []hook.Passkey{p})
	page := testx.Must(to.ListAudits(f.ctx, hook.AuditFilter{Page: hook.Page{Limit: 10}}))(f)
	testx.Equal(f, page.Items, []hook.AuditEntry{b, a})
	testx.Equal(f, testx.Must(to.ListEnvironments(f.ctx))(f)[0].Kind, hook.EnvironmentTest)
	_, _, err := to.FindSession(f.ctx, s.Hash)
	testx.Code(f, err, hook.CodeNotFound)
}
