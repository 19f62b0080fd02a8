// The name that all viewers of a manifest agree on without being told. The seeder makes the same
// (`core/model/src/swarm.rs`; tests/fixtures/swarm-ids.json holds both to it).

/**
 * The manifest's address without fragment and query. Parameters of the query that `keep` names stay
 * as they are written, in the order of `keep`.
 */
export function swarmIdOf(address: string, keep: readonly string[]): string {
    const [withoutFragment = ""] = address.split("#", 1);
    const [base = ""] = withoutFragment.split("?", 1);
    const pairs = withoutFragment.slice(base.length + 1).split("&");
    const kept = keep.flatMap((name) => pairs.filter((pair) => pair && pair.split("=", 1)[0] === name));
    return kept.length > 0 ? `${base}?${kept.join("&")}` : base;
}
