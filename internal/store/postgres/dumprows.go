package postgres

import "github.com/grapnelhq/grapnel/internal/hook"

func dumpEnvironment(_ *dumper, r *row) (hook.Record, error) {
	settings, err := settingsRecord(r, 3)
	return &hook.EnvironmentRecord{ID: r.id(0), Name: r.text(1), CreatedAt: r.time(2), Settings: settings, Kind: hook.EnvironmentKind(r.int(4))}, err
}

func dumpKey(_ *dumper, r *row) (hook.Record, error) {
	k, err := scanKey(r)
	return &hook.KeyRecord{
		ID: k.ID, Env: k.Env, App: k.App, Hash: k.Hash[:], Name: k.Name, CensoredText: k.CensoredText, Scopes: k.Scopes,
		SessionID: k.SessionID, FeatureFlags: k.FeatureFlags, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt,
	}, err
}

func dumpApplication(d *dumper, r *row) (hook.Record, error) {
	a, err := scanApplication(r)
	d.apps[a.seq] = a.ID
	return &hook.ApplicationRecord{
		ID: a.ID, Env: a.Env, UID: a.UID, Name: a.Name, ThrottleRate: a.ThrottleRate, Metadata: a.Metadata,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, Source: a.Source, DeletedAt: r.time(applicationColumnCount),
		Config: r.int(applicationColumnCount + 1),
	}, err
}

func dumpEventType(_ *dumper, r *row) (hook.Record, error) {
	t, err := scanEventType(r)
	return &hook.EventTypeRecord{
		ID: t.ID, Env: t.Env, Name: t.Name, Description: t.Description, GroupName: t.GroupName, Archived: t.Archived,
		Deprecated: t.Deprecated, FeatureFlags: t.FeatureFlags, Schemas: t.Schemas, EnforceSchema: t.EnforceSchema,
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}, err
}

func dumpEndpoint(d *dumper, r *row) (hook.Record, error) {
	e, err := scanEndpoint(r)
	secrets := make([]hook.SecretRecord, len(e.Secrets))
	for i, s := range e.Secrets {
		secrets[i] = hook.SecretRecord(s)
	}
	behind := r.from(endpointColumnCount)
	d.ends[r.int(0)] = dumpedEndpoint{e.ID, behind.int(1)}
	return &hook.EndpointRecord{
		ID: e.ID, App: d.apps[behind.int(1)], UID: e.UID, Description: e.Description, URL: e.URL, EventTypes: e.EventTypes,
		Channels: e.Channels, ThrottleRate: e.ThrottleRate, Metadata: e.Metadata, FeatureFlags: e.FeatureFlags,
		SealedHeaders: e.SealedHeaders, Secrets: secrets, DisabledReason: e.DisabledReason, DisabledAt: e.DisabledAt,
		FailingSince: e.FailingSince, Revision: e.Revision, CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt, DeletedAt: behind.time(0),
	}, err
}

func dumpRevision(d *dumper, r *row) (hook.Record, error) {
	e, known := d.ends[r.int(5)]
	if !known {
		return nil, nil
	}
	return &hook.RevisionRecord{
		Endpoint: e.id, Revision: r.int(6), EventTypes: r.words(0), Channels: r.words(1), Disabled: r.bool(2),
		Since: r.time(3), Config: r.int(4),
	}, nil
}

func dumpMessage(d *dumper, r *row) (hook.Record, error) {
	m, err := scanMessage(r)
	if err != nil || d.apps[m.app].IsZero() {
		return nil, err
	}
	return &hook.MessageRecord{
		ID: m.ID, App: d.apps[m.app], EventType: m.EventType, EventID: m.EventID, Channels: m.Channels, Tags: m.Tags,
		ContentType: m.ContentType, BodySize: m.BodySize, CreatedAt: m.CreatedAt, DeliverAt: m.DeliverAt,
		BodyExpiresAt: r.time(messageColumnCount + bodyColumnCount), Body: m.Body, Envelope: m.Envelope, Config: m.config,
	}, nil
}

func dumpDelivery(d *dumper, r *row) (hook.Record, error) {
	if !r.bool(10) {
		return nil, nil
	}
	return &hook.DeliveryRecord{
		Message: r.id(11), Endpoint: d.ends[r.int(12)].id, State: hook.State(r.int(0)), Reason: hook.Reason(r.int(1)),
		Attempts: int(r.int(2)), Step: int(r.int(3)), Manual: r.bool(4), Retry: r.bool(5), Due: r.time(6), AutoDue: r.time(7),
		LastStatus: int(r.int(8)), UpdatedAt: r.time(9),
	}, nil
}

func dumpAttempt(d *dumper, r *row) (hook.Record, error) {
	if !r.bool(13) {
		return nil, nil
	}
	return &hook.AttemptRecord{
		ID: r.id(15), Message: r.id(14), Endpoint: d.ends[r.int(0)].id, Number: int(r.int(1)), Trigger: hook.Trigger(r.int(2)),
		Class: hook.Class(r.int(3)), Status: int(r.int(4)), Detail: r.text(5), URL: r.text(6), StartedAt: r.time(7),
		Timings: hook.TimingsRecord(timingsFrom(r.values[8])), NextDue: r.time(9),
		Response: r.blob(10), ResponseHeaders: r.blob(11), RequestHeaders: r.blob(12),
	}, nil
}

func dumpIdempotency(_ *dumper, r *row) (hook.Record, error) {
	return &hook.IdempotencyRecord{
		Env: r.id(4), Hash: r.blob(5), Fingerprint: r.blob(0), Object: r.id(1), ExpiresAt: r.time(3), Auto: r.bool(2),
	}, nil
}

func dumpTask(_ *dumper, r *row) (hook.Record, error) {
	t, err := scanTask(r)
	return &hook.TaskRecord{
		ID: t.ID, Env: t.Env, App: t.App, Endpoint: t.Endpoint, Kind: t.Kind, Status: t.Status, Since: t.Since, Until: t.Until,
		Cursor: t.Cursor, Queued: t.Queued, Canceled: t.Canceled, Rate: t.Rate, Total: t.Total, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}, err
}

func dumpSource(_ *dumper, r *row) (hook.Record, error) {
	s, err := scanSource(r)
	var secrets []hook.SecretRecord
	if len(s.Secrets) > 0 {
		secrets = make([]hook.SecretRecord, 0, len(s.Secrets))
	}
	for _, secret := range s.Secrets {
		secrets = append(secrets, hook.SecretRecord(secret))
	}
	return &hook.SourceRecord{
		ID: s.ID, Env: s.Env, UID: s.UID, Name: s.Name, Type: s.Type, Metadata: s.Metadata, Settings: s.Settings, Secrets: secrets,
		Tokens: tokenRecords(s.Tokens), Disabled: s.Disabled, NextFire: s.NextFire, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}, err
}

func dumpRequest(d *dumper, r *row) (hook.Record, error) {
	source, known := d.apps[r.int(17)]
	envelope, err := scanEnvelope(r, 4)
	if err != nil || !known || !r.bool(16) {
		return nil, err
	}
	return &hook.RequestRecord{
		ID: r.id(18), Source: source, State: hook.RequestState(r.int(0)), Reason: r.text(1), Detail: r.text(2), Findings: r.blob(3),
		Envelope: envelope, Remote: r.text(5), EventType: r.text(6), Key: r.text(7), Message: r.id(8), Fingerprint: r.blob(9),
		Status: int(r.int(10)), ContentType: r.text(11), BodySize: int(r.int(12)), Body: r.blob(13), ReceivedAt: r.time(14), Note: r.text(15),
	}, nil
}

func dumpTraffic(_ *dumper, r *row) (hook.Record, error) {
	t := hook.Traffic{Start: periodTime(r.int(2))}
	err := mergeTraffic(&t, r, 0)
	return hook.TrafficRecordOf(r.id(1), &t), err
}

func dumpIssue(_ *dumper, r *row) (hook.Record, error) {
	i := scanIssue(r)
	return hook.IssueRecordOf(&i), nil
}
