package postgres

import "strings"

// LoadPlanning are the settings under which a load joins, and LoadChecks its joins.
var (
	LoadPlanning = byTable
	LoadChecks   = []string{strings.Replace(withoutMessage, "{table}", "deliveries", 1), strings.Replace(withoutMessage, "{table}", "attempts", 1)}
)
