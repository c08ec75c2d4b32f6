package api

import (
	"slices"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// maxOffered is how many values of a field are offered for completion.
const maxOffered = 100

// searchLists gives the fields of each list that can be searched.
var searchLists = map[string]func() []search.Def{
	search.Messages.Name:     search.Messages.Defs,
	search.Requests.Name:     search.Requests.Defs,
	search.Endpoints.Name:    search.Endpoints.Defs,
	search.Issues.Name:       search.Issues.Defs,
	search.Applications.Name: search.Applications.Defs,
	search.EventTypes.Name:   search.EventTypes.Defs,
	search.Sources.Name:      search.Sources.Defs,
}

// getSearchFields tells what a list can be searched by.
func getSearchFields(c *call) (reply, error) {
	q := c.params()
	defs := searchLists[q.text("list")]
	if defs == nil {
		q.invalid("list", "must be messages, requests, endpoints, issues, applications, sources or event-types")
		return reply{}, q.err()
	}
	out := apitype.SearchFields{List: q.text("list"), Fields: []apitype.SearchField{}}
	for _, d := range defs() {
		if d.Body && c.hidesPayloads() {
			continue
		}
		values, err := c.valuesOf(d)
		if err != nil {
			return reply{}, err
		}
		out.Fields = append(out.Fields, apitype.SearchField{Name: d.Name, Kind: apitype.SearchKind(d.Kind.String()), Doc: d.Doc, Values: values})
	}
	return ok(out)
}

// valuesOf gives values that can be offered for a field; never null.
func (c *call) valuesOf(d search.Def) ([]string, error) {
	values := slices.Clone(d.Values)
	switch d.Name {
	case "type":
		page, err := c.Store.ListEventTypes(c.ctx(), c.key.Env, false, hook.Page{Limit: maxOffered, Ascending: true})
		for i := range page.Items {
			values = append(values, page.Items[i].Name)
		}
		return listOrEmpty(values), err
	case "app":
		page, err := c.Store.ListApplications(c.ctx(), c.key.Env, hook.Page{Limit: maxOffered})
		for i := range page.Items {
			values = append(values, nameOr(page.Items[i].UID, page.Items[i].Name))
		}
		return listOrEmpty(values), err
	case "source":
		page, err := c.Store.ListSources(c.ctx(), c.key.Env, hook.Page{Limit: maxOffered, Ascending: true})
		for i := range page.Items {
			values = append(values, nameOr(page.Items[i].UID, page.Items[i].Name))
		}
		return listOrEmpty(values), err
	case "provider":
		for _, t := range c.SourceTypes() {
			values = append(values, t.Name)
		}
	}
	return listOrEmpty(values), nil
}

func nameOr(uid, name string) string {
	if uid != "" {
		return uid
	}
	return name
}

func listOrEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
