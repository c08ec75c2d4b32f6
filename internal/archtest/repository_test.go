package archtest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/grapnelhq/grapnel/internal/archtest"
)

var load = sync.OnceValues(func() (*archtest.Repo, error) { return archtest.Load(context.Background(), "../..") })

// holds runs one rule on this repository.
func holds(t *testing.T, rule func(*archtest.Repo) []archtest.Breach) {
	t.Helper()
	t.Parallel()
	repo, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, breach := range rule(repo) {
		t.Error(breach)
	}
}

func TestImportsFollowTheTable(t *testing.T)           { holds(t, archtest.Imports) }
func TestEveryPackageSaysItsJob(t *testing.T)          { holds(t, archtest.PackageComments) }
func TestPublicPackagesAreDocumented(t *testing.T)     { holds(t, archtest.PublicDocs) }
func TestFilesAndFunctionsStayInBudget(t *testing.T)   { holds(t, archtest.Budgets) }
func TestPathsInDocumentsExist(t *testing.T)           { holds(t, archtest.DocPaths) }
func TestNoFileHoldsAForbiddenText(t *testing.T)       { holds(t, archtest.Texts) }
func TestCallsStayInTheirRooms(t *testing.T)           { holds(t, archtest.Calls) }
func TestEveryDirectDependencyIsRecorded(t *testing.T) { holds(t, archtest.Dependencies) }
func TestRepositoryHasTheFilesThatRulesLookAt(t *testing.T) {
	t.Parallel()
	repo, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "README.md", "internal/archtest/repo.go"} {
		if len(repo.Files[name]) == 0 {
			t.Errorf("%s was not read: the rules looked at nothing", name)
		}
	}
}
