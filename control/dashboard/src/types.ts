// What the admin API gives (/v1/openapi.json).

export type Role = "owner" | "operator" | "viewer" | "seeder";

export interface Session {
    csrf?: string;
    title: string;
    role: Role;
    tenant?: string;
}

/** All figures of a span of time. */
export interface Counters {
    viewer_s: number;
    viewers_max: number;
    http_bytes: number;
    peer_bytes: number;
    super_peer_bytes: number;
    uploaded_bytes: number;
    unproven_bytes: number;
    seeder_fetched_bytes: number;
    seeder_sent_bytes: number;
    stalls: number;
    stalled_ms: number;
    starts: number;
    start_ms: number;
    starts_250: number;
    starts_500: number;
    starts_1000: number;
    starts_2000: number;
    starts_4000: number;
    lines_270_s: number;
    lines_400_s: number;
    lines_576_s: number;
    lines_800_s: number;
    lines_1200_s: number;
    lines_more_s: number;
    beacons: number;
    refused: number;
}

export interface Point extends Counters {
    at_s: number;
    channel?: string;
}

export interface Live {
    at_s: number;
    step_s: number;
    channels: Point[];
}

export interface History {
    from_s: number;
    to_s: number;
    step_s: number;
    points: Point[];
}

export interface Total {
    from_s: number;
    bytes: number;
    origin_bytes: number;
    saved_bytes: number;
    saved_micros: number;
    share: number;
}

export interface Summary {
    currency: string;
    hour: Total;
    day: Total;
    month: Total;
    month_saved_bytes_projected: number;
    month_saved_micros_projected: number;
}

export interface Settings {
    price_per_gb_micros: number;
    currency: string;
}

/** A channel's settings; what is not set is left out. */
export interface Channel {
    manifest: string;
    swarm_id?: string;
    swarm_id_parameters?: string[];
    renditions?: string | string[];
    prefetch_s?: number;
    warm_s?: number;
    headers?: Record<string, string>;
    cookies?: Record<string, string>;
    allowed_hosts?: string[];
    failover?: string[];
    fetch_bps_max?: number;
    proxy?: string;
}

export interface Shown<T> {
    name: string;
    tenant?: string;
    created_ms: number;
    changed_ms: number;
    expires_ms?: number;
    etag: string;
    config: T;
}

export interface Listing<T> {
    items: T[];
    next?: string;
}

/** A channel as the seeder of control's process has it. */
export interface Seeded {
    name: string;
    manifest: string;
    state: "broken" | "starting" | "seeding";
    reason: string | null;
    live: boolean;
    streams: number;
    swarms: number;
    viewers: number;
    connections: number;
    origin_bytes: number;
    peer_bytes: number;
    cached_segments: number;
    cached_bytes: number;
    fetch_failures: number;
    manifest_failures: number;
    source: string;
}

export interface Report {
    is_readable: boolean;
    summary: string;
    problems: string[];
    notes: string[];
}

export interface Figure {
    metric: string;
    help: string;
    labels: string[];
    is_counter: boolean;
    value: number;
}

export interface Swarm {
    info_hash: string;
    complete: number;
    incomplete: number;
}
