/** A YAML document as plain nodes with their places: what both readers of YAML give, and all that reading a policy needs. */

/** What every node has. Offsets count UTF-16 units. */
interface Placed {
  readonly start: number;
  /** Behind the node; blanks and comments that follow it may count as its own. */
  readonly end: number;
  readonly anchor: string | null;
}

export interface YamlScalar extends Placed {
  readonly kind: "scalar";
  /** By the core schema: text, number, boolean or null. */
  readonly value: unknown;
  /** As written, without quotes. */
  readonly source: string;
}

export interface YamlPair {
  readonly key: YamlNode | null;
  readonly value: YamlNode | null;
}

export interface YamlMap extends Placed {
  readonly kind: "map";
  readonly items: readonly YamlPair[];
}

export interface YamlSeq extends Placed {
  readonly kind: "seq";
  readonly items: readonly (YamlNode | null)[];
}

/** A reference to an anchor. */
export interface YamlAlias extends Placed {
  readonly kind: "alias";
  readonly name: string;
}

/** A node that is no alias. */
export type YamlValue = YamlMap | YamlSeq | YamlScalar;
export type YamlNode = YamlValue | YamlAlias;

/** A document, and what its aliases stand for. */
export interface YamlTree {
  /** null: an empty document, or one that could not be read. */
  readonly root: YamlNode | null;
  readonly links: ReadonlyMap<YamlAlias, YamlValue>;
}

export function isMap(node: YamlNode | null | undefined): node is YamlMap {
  return node?.kind === "map";
}

export function isSeq(node: YamlNode | null | undefined): node is YamlSeq {
  return node?.kind === "seq";
}

export function isScalar(node: YamlNode | null | undefined): node is YamlScalar {
  return node?.kind === "scalar";
}

/** What each alias stands for: the nearest earlier anchor of its name, found in one walk. */
export function linkAliases(root: YamlNode | null): ReadonlyMap<YamlAlias, YamlValue> {
  const anchors = new Map<string, YamlValue>();
  const links = new Map<YamlAlias, YamlValue>();
  const walk = (node: YamlNode | null): void => {
    if (node === null) return;
    if (node.kind === "alias") {
      const target = anchors.get(node.name);
      if (target !== undefined) links.set(node, target);
      return;
    }
    if (node.anchor !== null) anchors.set(node.anchor, node);
    if (node.kind === "seq") node.items.forEach(walk);
    else if (node.kind === "map") {
      for (const { key, value } of node.items) {
        walk(key);
        walk(value);
      }
    }
  };
  walk(root);
  return links;
}
