package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// setupLife and the others are how long links are good for.
	setupLife  = time.Hour
	inviteLife = 7 * 24 * time.Hour
	resetLife  = 24 * time.Hour
	signInLife = 10 * time.Minute
	// ceremonyLife is how long a sign-in with a passkey or at a provider may take.
	ceremonyLife = 5 * time.Minute

	maxAgent = 256 // bytes
)

// PeopleStore is what People asks of the store. See package store for what each promises.
type PeopleStore interface {
	CreateMember(ctx context.Context, m *hook.Member, first bool) error
	FindMember(ctx context.Context, member hook.ID) (hook.Member, error)
	FindMemberByEmail(ctx context.Context, email string) (hook.Member, error)
	FindMemberBySubject(ctx context.Context, subject string) (hook.Member, error)
	ListMembers(ctx context.Context, p hook.Page) (hook.PageOf[hook.Member], error)
	UpdateMember(ctx context.Context, member hook.ID, change func(*hook.Member) error) (hook.Member, error)
	CreateSession(ctx context.Context, s *hook.Session) error
	FindSession(ctx context.Context, hash [32]byte) (hook.Session, hook.Member, error)
	EndSessions(ctx context.Context, member, except hook.ID) error
	TouchSessions(ctx context.Context, uses []hook.SessionUse) error
	CreateTicket(ctx context.Context, t *hook.Ticket) error
	FindTicket(ctx context.Context, hash [32]byte, now time.Time) (hook.Ticket, error)
	TakeTicket(ctx context.Context, hash [32]byte, now time.Time) (hook.Ticket, error)
	CreatePasskey(ctx context.Context, p *hook.Passkey) error
	ListPasskeys(ctx context.Context, member hook.ID) ([]hook.Passkey, error)
	UsePasskey(ctx context.Context, passkey hook.ID, data []byte, at time.Time) error
}

// PeopleOptions are what People is made of.
type PeopleOptions struct {
	Store PeopleStore
	Now   func() time.Time
	Log   *slog.Logger
	// Provider is the provider of OpenID Connect; nil: none.
	Provider *Provider
	// Client makes the requests to the provider. It must have limits of time and
	// length, and follow no redirect.
	Client *http.Client
	// Forgotten is called behind each Forget; nil: nobody is told.
	Forgotten func()
}

// People is the desk at which members sign in. NewPeople makes one; Run stores last uses.
type People struct {
	store    PeopleStore
	now      func() time.Time
	log      *slog.Logger
	limits   *limiter
	hashes   *hasher
	provider *relyingParty // nil: none
	told     func()        // of each Forget; never nil
	settled  atomic.Bool   // there is a member

	mu         sync.RWMutex // guards what follows
	visits     map[[32]byte]*visit
	uses       map[hook.ID]time.Time
	generation uint64 // counts calls of Forget
}

// visit is a session that was found, with its member.
type visit struct {
	session hook.Session
	member  hook.Member
	until   time.Time
}

// NewPeople makes the desk; it asks nobody anything yet.
func NewPeople(o PeopleOptions) *People {
	p := &People{
		store: o.Store, now: o.Now, log: o.Log, limits: newLimiter(), hashes: newHasher(),
		visits: map[[32]byte]*visit{}, uses: map[hook.ID]time.Time{},
	}
	if p.told = o.Forgotten; p.told == nil {
		p.told = func() {}
	}
	if o.Provider != nil {
		p.provider = &relyingParty{Provider: *o.Provider, client: o.Client}
	}
	return p
}

// Visit gives the session of a cookie's text and its member. What lets nobody in is a
// *hook.Error with CodeAuthentication.
func (p *People) Visit(ctx context.Context, token string) (hook.Session, hook.Member, error) {
	now, hash := p.now(), Hash(token)
	p.mu.RLock()
	v, generation := p.visits[hash], p.generation
	p.mu.RUnlock()
	if v == nil || !now.Before(v.until) {
		session, member, err := p.store.FindSession(ctx, hash)
		if isCode(err, hook.CodeNotFound) {
			return hook.Session{}, hook.Member{}, ended()
		}
		if err != nil {
			return hook.Session{}, hook.Member{}, err
		}
		v = &visit{session: session, member: member, until: now.Add(remember)}
		p.keep(hash, v, generation)
	}
	if !v.session.Valid(now) {
		return hook.Session{}, hook.Member{}, ended()
	}
	p.note(v, now)
	return v.session, v.member, nil
}

func ended() error { return refused("The session has ended.", "Sign in again.") }

// keep remembers a visit, unless it was read before a Forget.
func (p *People) keep(hash [32]byte, v *visit, generation uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if generation != p.generation {
		return
	}
	if len(p.visits) >= maxKeys {
		clear(p.visits)
	}
	p.visits[hash] = v
}

// note remembers the use of a session, if the one that is stored is a minute old.
func (p *People) note(v *visit, now time.Time) {
	if now.Sub(v.session.UsedAt) < flushEvery {
		return
	}
	p.mu.Lock()
	p.uses[v.session.ID] = now
	p.mu.Unlock()
}

// Forget drops what is remembered, after members or sessions were changed by this process.
func (p *People) Forget() {
	p.mu.Lock()
	clear(p.visits)
	p.generation++
	p.mu.Unlock()
	p.told()
}

// Run stores last uses once a minute, and a last time when ctx ends.
func (p *People) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
			defer cancel()
			p.flush(last)
			return nil
		}
	}
}

// flush stores the last uses. Those that could not be stored are noted again by the
// next use of each session.
func (p *People) flush(ctx context.Context) {
	p.mu.Lock()
	taken := p.uses
	p.uses = map[hook.ID]time.Time{}
	p.mu.Unlock()
	if len(taken) == 0 {
		return
	}
	uses := make([]hook.SessionUse, 0, len(taken))
	for id, at := range taken {
		uses = append(uses, hook.SessionUse{Session: id, At: at})
	}
	if err := p.store.TouchSessions(ctx, uses); err != nil {
		p.log.WarnContext(ctx, "last uses of sessions not stored", "error", err)
	}
}

// Ways are the ways of signing in that are open at a site.
func (p *People) Ways(ctx context.Context, site string) (hook.Ways, error) {
	empty, err := p.empty(ctx)
	w := hook.Ways{Empty: empty, Passkey: passkeySite(site) == nil}
	if p.provider != nil {
		w.Provider = p.provider.Name
	}
	return w, err
}

// empty reports whether there is no member. As there is always an owner once there
// was one, the answer no stays.
func (p *People) empty(ctx context.Context) (bool, error) {
	if p.settled.Load() {
		return false, nil
	}
	page, err := p.store.ListMembers(ctx, hook.Page{Limit: 1, Ascending: true})
	if err != nil {
		return false, fmt.Errorf("looking for members: %w", err)
	}
	p.settled.Store(len(page.Items) > 0)
	return len(page.Items) == 0, nil
}

// SignIn begins a session by e-mail address and password. It takes the same time, and
// fails with the same words, whether there is such a member or not.
func (p *People) SignIn(ctx context.Context, v hook.Visitor, email, password string) (in hook.SignedIn, err error) {
	folded, _ := hook.FoldEmail(email)
	account := folded
	if account == "" {
		account = strings.ToLower(strings.TrimSpace(email))
	}
	err = p.limited(p.triesOn(v, account), func() error {
		m, err := p.store.FindMemberByEmail(ctx, folded)
		if err != nil && !isCode(err, hook.CodeNotFound) {
			return err
		}
		right, err := p.hashes.matches(ctx, password, m.Password)
		if err != nil {
			return err
		}
		if !right {
			return &hook.Error{
				Code: hook.CodeSignIn, Detail: "The e-mail address or the password is wrong.",
				Hint: "Try again. Who has forgotten the password gets a link from an administrator.",
			}
		}
		in, err = p.begin(ctx, v, m, hook.ByPassword)
		return err
	})
	return in, err
}

// begin makes a session.
func (p *People) begin(ctx context.Context, v hook.Visitor, m hook.Member, method hook.SignInMethod) (hook.SignedIn, error) {
	now := p.now().UTC().Truncate(time.Microsecond)
	token := newText(SessionPrefix)
	agent := strings.ToValidUTF8(strings.Map(printing, v.Agent), "")
	if len(agent) > maxAgent {
		agent = strings.ToValidUTF8(agent[:maxAgent], "")
	}
	s := hook.Session{
		ID: hook.NewID(now), Member: m.ID, Hash: Hash(token), Method: method, Agent: agent, Address: v.Address, CreatedAt: now, UsedAt: now,
	}
	if err := p.store.CreateSession(ctx, &s); err != nil {
		return hook.SignedIn{}, err
	}
	p.settled.Store(true)
	return hook.SignedIn{Token: token, Session: s, Member: m}, nil
}

// printing drops what no name of a browser has.
func printing(r rune) rune {
	if r < ' ' || r == 0x7f || r == utf8.RuneError {
		return -1
	}
	return r
}

// ChangePassword sets another password after the current one, if there is one, was
// given, and ends all sessions but that one.
func (p *People) ChangePassword(ctx context.Context, v hook.Visitor, m hook.Member, keep hook.ID, current, next string) error {
	if m.Password != "" {
		err := p.limited(p.triesOn(v, m.Email), func() error {
			right, err := p.hashes.matches(ctx, current, m.Password)
			if err == nil && !right {
				err = hook.Invalid("is not the current password", "body", "password", "current")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := checkPassword(next, m.Email, "body", "password", "new"); err != nil {
		return err
	}
	return p.setPassword(ctx, m.ID, keep, next)
}

func (p *People) setPassword(ctx context.Context, member, keep hook.ID, password string) error {
	hash, err := p.hashes.make(ctx, password)
	if err != nil {
		return err
	}
	if _, err := p.store.UpdateMember(ctx, member, func(m *hook.Member) error {
		m.Password, m.UpdatedAt = hash, p.now().UTC().Truncate(time.Microsecond)
		return nil
	}); err != nil {
		return err
	}
	defer p.Forget()
	return p.store.EndSessions(ctx, member, keep)
}
