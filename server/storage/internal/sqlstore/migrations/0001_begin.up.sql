CREATE TABLE accounts (
	id TEXT NOT NULL PRIMARY KEY,
	domain TEXT NOT NULL,
	local TEXT NOT NULL,
	created INTEGER NOT NULL,
	UNIQUE (domain, local)
);
CREATE TABLE secrets (
	account TEXT NOT NULL,
	slot INTEGER NOT NULL,
	hash TEXT NOT NULL,
	salt BLOB NOT NULL,
	iterations INTEGER NOT NULL,
	stored_key BLOB NOT NULL,
	server_key BLOB NOT NULL,
	PRIMARY KEY (account, slot)
);
CREATE TABLE rosters (
	owner TEXT NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL,
	forgotten INTEGER NOT NULL,
	listed INTEGER NOT NULL,
	requests INTEGER NOT NULL,
	removed INTEGER NOT NULL
);
CREATE TABLE contacts (
	owner TEXT NOT NULL,
	jid TEXT NOT NULL,
	key_head TEXT NOT NULL,
	key_tail TEXT NOT NULL,
	key_sum TEXT NOT NULL,
	name TEXT NOT NULL,
	group_names TEXT NOT NULL,
	subscription INTEGER NOT NULL,
	approved INTEGER NOT NULL,
	listed INTEGER NOT NULL,
	request BLOB NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (owner, key_head, key_sum)
);
CREATE INDEX contacts_by_version ON contacts (owner, version);
CREATE TABLE removed_contacts (
	owner TEXT NOT NULL,
	jid TEXT NOT NULL,
	key_head TEXT NOT NULL,
	key_tail TEXT NOT NULL,
	key_sum TEXT NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (owner, key_head, key_sum)
);
CREATE INDEX removed_contacts_by_version ON removed_contacts (owner, version);
CREATE TABLE offline_boxes (
	owner TEXT NOT NULL PRIMARY KEY,
	last INTEGER NOT NULL,
	messages INTEGER NOT NULL,
	bytes INTEGER NOT NULL
);
CREATE TABLE offline_messages (
	owner TEXT NOT NULL,
	id INTEGER NOT NULL,
	stored INTEGER NOT NULL,
	stanza BLOB NOT NULL,
	PRIMARY KEY (owner, id)
);
CREATE TABLE tokens (
	owner TEXT NOT NULL,
	client TEXT NOT NULL,
	slot INTEGER NOT NULL,
	secret TEXT NOT NULL,
	mechanism TEXT NOT NULL,
	expiry INTEGER NOT NULL,
	PRIMARY KEY (owner, client, slot)
);
CREATE TABLE documents (
	owner TEXT NOT NULL,
	kind TEXT NOT NULL,
	name_head TEXT NOT NULL,
	name_tail TEXT NOT NULL,
	name_sum TEXT NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (owner, kind, name_head, name_sum)
);
CREATE TABLE blocked (
	owner TEXT NOT NULL,
	jid TEXT NOT NULL,
	key_head TEXT NOT NULL,
	key_tail TEXT NOT NULL,
	key_sum TEXT NOT NULL,
	PRIMARY KEY (owner, key_head, key_sum)
);
CREATE TABLE invites (
	id TEXT NOT NULL PRIMARY KEY,
	inviter TEXT NOT NULL,
	addr TEXT NOT NULL,
	account TEXT NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	uses INTEGER NOT NULL
);
CREATE INDEX invites_by_inviter ON invites (inviter, id);
