-- People appear as pseudonyms only. A name, if a site keeps one here at all, lives in a schema of its own,
-- so that one GRANT decides who may see it. Every name is schema-qualified: the search path means nothing to us.

CREATE SCHEMA identity;

CREATE TABLE lumbar.subject (
    subject_id text PRIMARY KEY CHECK (subject_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE identity.person (
    subject_id text PRIMARY KEY REFERENCES lumbar.subject,
    label text NOT NULL CHECK (length(label) BETWEEN 1 AND 200)
);

CREATE TABLE lumbar.gateway (
    gateway_id text PRIMARY KEY CHECK (gateway_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$'),
    shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 63),
    -- grows whenever the pairings of this gateway change
    config_version bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE lumbar.sensor (
    sensor_id text PRIMARY KEY CHECK (sensor_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE lumbar.pairing (
    pairing_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sensor_id text NOT NULL REFERENCES lumbar.sensor,
    subject_id text NOT NULL REFERENCES lumbar.subject,
    gateway_id text NOT NULL REFERENCES lumbar.gateway,
    placement text NOT NULL CHECK (placement IN ('pelvis', 'thorax')),
    mount text CHECK (length(mount) <= 24),
    rate_hz smallint NOT NULL DEFAULT 100 CHECK (rate_hz BETWEEN 10 AND 400),
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_to timestamptz CHECK (valid_to >= valid_from)
);

-- now, a sensor is on one body at one place, and a place holds one sensor
CREATE UNIQUE INDEX pairing_one_body ON lumbar.pairing (sensor_id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX pairing_one_sensor ON lumbar.pairing (subject_id, placement) WHERE valid_to IS NULL;
CREATE INDEX pairing_gateway ON lumbar.pairing (gateway_id) WHERE valid_to IS NULL;

CREATE TABLE lumbar.session (
    session_id uuid PRIMARY KEY,
    subject_id text NOT NULL REFERENCES lumbar.subject,
    gateway_id text NOT NULL REFERENCES lumbar.gateway,
    -- [{"sensor_id", "placement", "mount"}]: the pairings when the session was created
    sensors json NOT NULL,
    started_ns bigint NOT NULL,
    ended_ns bigint CHECK (ended_ns >= started_ns)
);

CREATE INDEX session_subject ON lumbar.session (subject_id, started_ns DESC, session_id);
CREATE INDEX session_open ON lumbar.session (started_ns, session_id) WHERE ended_ns IS NULL;

-- commands on their way to a gateway; json keeps the text as it was written
CREATE TABLE lumbar.control (
    event_id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    session_id uuid NOT NULL REFERENCES lumbar.session,
    gateway_id text NOT NULL REFERENCES lumbar.gateway,
    command json NOT NULL,
    issued_ns bigint NOT NULL,
    expires_ns bigint NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'applied', 'expired', 'refused')),
    -- place in the gateway's log where the command was read, followed or refused
    applied_log_id bigint,
    applied_offset bigint
);

CREATE INDEX control_pending ON lumbar.control (seq) WHERE state = 'pending';
CREATE INDEX control_session ON lumbar.control (session_id);

-- who works on which shard; a commit with an older epoch is refused
CREATE TABLE lumbar.shard (
    shard smallint PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
    epoch bigint NOT NULL,
    owner text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now()
);

-- one log of one gateway: how far its results are committed, and the analyzer's state there
CREATE TABLE lumbar.log_partition (
    gateway_id text NOT NULL REFERENCES lumbar.gateway,
    log_id bigint NOT NULL CHECK (log_id BETWEEN 0 AND 4294967295),
    committed bigint NOT NULL DEFAULT 0,
    epoch bigint NOT NULL DEFAULT 0,
    checkpoint bytea,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gateway_id, log_id)
);

-- the log itself, as it came: entries with their length before each, zlib
CREATE TABLE lumbar.raw_block (
    gateway_id text NOT NULL,
    log_id bigint NOT NULL,
    first_offset bigint NOT NULL,
    last_offset bigint NOT NULL CHECK (last_offset >= first_offset),
    entries bytea NOT NULL,
    t0 timestamptz,
    t1 timestamptz,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gateway_id, log_id, first_offset)
);

-- already compressed: a second try would cost time and gain nothing
ALTER TABLE lumbar.raw_block ALTER COLUMN entries SET STORAGE EXTERNAL;

-- entries that a gateway had to drop before they could be sent
CREATE TABLE lumbar.log_loss (
    gateway_id text NOT NULL,
    log_id bigint NOT NULL,
    first_offset bigint NOT NULL,
    last_offset bigint NOT NULL CHECK (last_offset >= first_offset),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gateway_id, log_id, first_offset)
);

-- finding_id is UUIDv5 of (session, kind, ordinal) and t0 follows from the log: inserting twice changes nothing.
-- The key contains t0 because a hypertable needs its time column in every unique key.
CREATE TABLE lumbar.finding (
    -- order of arrival, for readers who continue where they stopped; one gateway has one writer, so it only grows
    seq bigint GENERATED ALWAYS AS IDENTITY,
    finding_id uuid NOT NULL,
    session_id uuid NOT NULL,
    subject_id text NOT NULL,
    gateway_id text NOT NULL,
    kind text NOT NULL,
    ordinal integer NOT NULL,
    t0 timestamptz NOT NULL,
    t1 timestamptz NOT NULL,
    t0_ns bigint NOT NULL,
    t1_ns bigint NOT NULL,
    -- text of processing.wire.messages.encode_finding, kept to the letter: floats read back to the same bits
    body json NOT NULL,
    PRIMARY KEY (finding_id, t0)
);

CREATE INDEX finding_session ON lumbar.finding (session_id, seq);
CREATE INDEX finding_subject ON lumbar.finding (subject_id, t0 DESC);
