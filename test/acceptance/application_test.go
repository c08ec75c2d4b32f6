package acceptance_test

import (
	"slices"
	"strings"
	"testing"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
	"github.com/svix/svix-webhooks/go/utils"
)

func TestApplicationLivesItsWholeLife(t *testing.T) {
	t.Parallel()
	c := admin(t)
	uid := unique("customer")
	created, err := c.Application.Create(t.Context(), models.ApplicationIn{
		Name: "Customer", Uid: &uid, ThrottleRate: new(uint16(50)), Metadata: &map[string]string{"plan": "gold"},
	}, nil)
	ok(t, err)
	if !strings.HasPrefix(created.Id, "app_") || len(created.Id) != len("app_")+27 {
		t.Errorf("id is %q", created.Id)
	}
	equal(t, "name", created.Name, "Customer")
	equal(t, "uid", created.Uid, &uid)
	equal(t, "throttle rate", created.ThrottleRate, new(uint16(50)))
	equal(t, "older name of the rate", created.RateLimit, new(uint16(50)))
	equal(t, "metadata", created.Metadata, map[string]string{"plan": "gold"})
	if created.CreatedAt.IsZero() || created.UpdatedAt.Before(created.CreatedAt) {
		t.Errorf("times are %v and %v", created.CreatedAt, created.UpdatedAt)
	}

	for _, name := range []string{created.Id, uid} {
		found, err := c.Application.Get(t.Context(), name)
		ok(t, err)
		equal(t, "application by "+name, found, created)
	}

	patched, err := c.Application.Patch(t.Context(), uid, models.ApplicationPatch{
		Name: new("Renamed"), ThrottleRate: utils.NewNullableFromPtr[uint16](nil),
	})
	ok(t, err)
	equal(t, "patched name", patched.Name, "Renamed")
	equal(t, "patched rate", patched.ThrottleRate, nil)
	equal(t, "uid after the patch", patched.Uid, &uid)
	equal(t, "metadata after the patch", patched.Metadata, created.Metadata)

	replaced, err := c.Application.Update(t.Context(), created.Id, models.ApplicationIn{Name: "Replaced", Uid: &uid})
	ok(t, err)
	equal(t, "id after the update", replaced.Id, created.Id)
	equal(t, "metadata after the update", replaced.Metadata, map[string]string{})

	ok(t, c.Application.Delete(t.Context(), uid))
	_, err = c.Application.Get(t.Context(), created.Id)
	refused(t, err, 404, "not_found")
	again, err := c.Application.Create(t.Context(), models.ApplicationIn{Name: "Next", Uid: &uid}, nil)
	ok(t, err)
	if again.Id == created.Id {
		t.Error("a deleted application came back")
	}
}

func TestGetOrCreateGivesOneApplication(t *testing.T) {
	t.Parallel()
	c := admin(t)
	in := models.ApplicationIn{Name: "Once", Uid: new(unique("once"))}
	first, err := c.Application.GetOrCreate(t.Context(), in, nil)
	ok(t, err)
	in.Name = "Twice"
	second, err := c.Application.GetOrCreate(t.Context(), in, nil)
	ok(t, err)
	equal(t, "second answer", second, first)
}

func TestUpdateOfAnUnknownUIDCreates(t *testing.T) {
	t.Parallel()
	c := admin(t)
	uid := unique("upsert")
	created, err := c.Application.Update(t.Context(), uid, models.ApplicationIn{Name: "New", Uid: &uid})
	ok(t, err)
	found, err := c.Application.Get(t.Context(), uid)
	ok(t, err)
	equal(t, "application", found, created)
}

func TestApplicationsAreListedInPages(t *testing.T) {
	t.Parallel()
	c := admin(t)
	var mine []string
	for range 5 {
		mine = append(mine, newApplication(t, c))
	}
	slices.Sort(mine) // ids of the same few milliseconds are in no order
	list := func(order models.Ordering) (seen []string) {
		each(t, func(iterator *string) (*models.ListResponseApplicationOut, error) {
			return c.Application.List(t.Context(), &svix.ApplicationListOptions{Limit: new(uint64(3)), Iterator: iterator, Order: &order})
		}, func(p *models.ListResponseApplicationOut) ([]models.ApplicationOut, *string, bool) {
			if len(p.Data) > 3 {
				t.Errorf("a page of 3 has %d", len(p.Data))
			}
			return p.Data, p.Iterator, p.Done
		}, func(app models.ApplicationOut) {
			if slices.Contains(mine, app.Id) {
				seen = append(seen, app.Id)
			}
		})
		return seen
	}
	equal(t, "ascending list", list(models.ORDERING_ASCENDING), mine)
	backward := slices.Clone(mine)
	slices.Reverse(backward)
	equal(t, "descending list", list(models.ORDERING_DESCENDING), backward)
}

func TestApplicationsWithoutEndpointsCanBeLeftOut(t *testing.T) {
	t.Parallel()
	c := admin(t)
	empty, disabled, full := newApplication(t, c), newApplication(t, c), newApplication(t, c)
	mine := []string{empty, disabled, full}
	newEndpoint(t, c, disabled, models.EndpointIn{Url: receiver.Hook().URL, Disabled: new(true)})
	newEndpoint(t, c, full, models.EndpointIn{Url: receiver.Hook().URL})
	for _, test := range []struct {
		name string
		o    svix.ApplicationListOptions
		want []string
	}{
		{"all", svix.ApplicationListOptions{}, mine},
		{"with endpoints", svix.ApplicationListOptions{ExcludeAppsWithNoEndpoints: new(true)}, []string{disabled, full}},
		{"with live endpoints", svix.ApplicationListOptions{ExcludeAppsWithNoEndpoints: new(true), ExcludeAppsWithDisabledEndpoints: new(true)}, []string{full}},
	} {
		var seen []string
		each(t, func(iterator *string) (*models.ListResponseApplicationOut, error) {
			o := test.o
			o.Iterator = iterator
			return c.Application.List(t.Context(), &o)
		}, func(p *models.ListResponseApplicationOut) ([]models.ApplicationOut, *string, bool) {
			return p.Data, p.Iterator, p.Done
		}, func(app models.ApplicationOut) {
			if slices.Contains(mine, app.Id) {
				seen = append(seen, app.Id)
			}
		})
		equal(t, test.name, sorted(seen), sorted(test.want))
	}
}
