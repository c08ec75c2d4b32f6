package postgres

import "strings"

// LoadPlanning are the settings under which a load joins, and LoadChecks its joins.
var (
	LoadPlanning = byTable
	LoadChecks   = []string{strings.Replace(withoutMessage, "{table}", "deliveries", 1), strings.Replace(withoutMessage, "{table}", "attempts", 1)}
)

// ListQueries are the texts of all lists.
var ListQueries = listQueries

func (q listQuery) texts() []string { return []string{q.ascending, q.descending} }

// Queries are the texts of statements over tables that grow, by what they are for.
var Queries = map[string][]string{
	"applications":                        listApplications.texts(),
	"audits":                              listAudits.texts(),
	"audits of an environment":            listAuditsOfOne.texts(),
	"members":                             listMembers.texts(),
	"keys":                                listKeys.texts(),
	"endpoints":                           listEndpoints.texts(),
	"event types":                         listEventTypes.texts(),
	"event types of a name":               append(listEventTypesBehind.texts(), listEventTypesBefore.texts()...),
	"tasks":                               listTasks.texts(),
	"messages":                            listMessages.texts(),
	"recent, environment DESC":            {walkEnvironment.older},
	"recent, environment ASC":             {walkEnvironment.newer},
	"recent, application DESC":            {walkApplication.older},
	"recent, application ASC":             {walkApplication.newer},
	"recent, failing DESC":                {walkFailing.older},
	"recent, failing ASC":                 {walkFailing.newer},
	"recent, failing at an endpoint DESC": {walkFailingEndpoint.older},
	"recent, failing at an endpoint ASC":  {walkFailingEndpoint.newer},
	"recent, page":                        {recentPage},
	"recent, summaries":                   {recentSummaries},
	"recent, message anywhere":            {messageAnywhere},
	"recent, attempt anywhere":            {attemptAnywhere},
	"recent, requests DESC":               {walkRequests.older},
	"recent, requests ASC":                {walkRequests.newer},
	"recent, loose requests DESC":         {walkLooseRequests.older},
	"recent, loose requests ASC":          {walkLooseRequests.newer},
	"recent, page of requests":            {recentRequestPage},
	"endpoints of an environment":         walkEndpoints.texts(),
	"recent, applications":                listApplicationsOf.texts(),
	"issues":                              {listIssues},
	"issues in a state":                   {listIssuesIn},
	"traffic":                             {listTraffic},
	"missing messages":                    {missing},
	"rollups of many":                     {rollupsOfMany},
	"attempts of an endpoint":             listAttemptsOfEndpoint.texts(),
	"attempts of a message":               listAttemptsOfMessage.texts(),
	"deliveries of an endpoint":           listDeliveriesOfEndpoint.texts(),
	"deliveries of a message":             listDeliveriesOfMessage.texts(),
	"explain, delivered":                  {explainDelivered},
	"explain, others":                     {explainOthers},
	"explain, attempts":                   {attemptsOfMessage},
	"explain, last attempts":              {explainedAttempts},
	"count, attempts":                     {countTries},
	"count, claimed":                      {countClaimed},
	"count, leased at accept":             {countAccepted},
	"count, waiting":                      {countWaiting},
	"count, end of a slice":               {endOfSlice},
	"count, canceled":                     {countCanceled},
	"queue, bounded":                      {countQueue},
	"queue, oldest":                       {oldestDue},
	"resend":                              {planManual},
	"payloads of a partition":             {payloadsFrom},
	"attempts not in the rollups":         {attemptsAfter},
	"endpoints that can be forgot":        {oldEndpoints},
	"applications that can be forgot":     {oldApplications},
	"sources":                             listSources.texts(),
	"sources that are due":                {dueSources},
	"requests":                            listRequests.texts(),
	"requests, loose":                     listLooseRequests.texts(),
	"requests to purge":                   {purgeRequests},
	"requests that are old":               {expireRequests},
	"requests of deleted sources":         {requestsOf},
	"requests of a deleted source":        {dropRequestsOf},
	"requests to drop":                    {dropLoose},
	"requests to record":                  {storeRequests},
	"requests beyond the bound":           {trimRequests},
	"requests that repeat":                {firstReceived},
}

// InOrder is what a transaction that walks begins with.
const InOrder = inOrder

// ParseEnvelope and EnvelopeColumn are the form in which envelopes are stored.
var (
	ParseEnvelope  = parseEnvelope
	EnvelopeColumn = envelopeColumn
)
