/** Index of a node: a row of the columns. */
export type NodeIndex = number;

/** The absent node. Its height is 0 and stays 0. */
export const NIL: NodeIndex = 0;

export const INITIAL_CAPACITY = 64;

/**
 * The links of an AVL tree in typed columns: node i is row i, row 0 stands for no node. Keys, searches and what else
 * a node carries belong to the subclass.
 */
export abstract class AvlTree {
  protected left: Int32Array = new Int32Array(INITIAL_CAPACITY);
  protected right: Int32Array = new Int32Array(INITIAL_CAPACITY);
  protected parent: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** 1 for a leaf; 0 marks a row that is in no tree. */
  protected height: Int8Array = new Int8Array(INITIAL_CAPACITY);
  protected root: NodeIndex = NIL;

  /** Renews what a node knows of its subtree after a rotation; an override that carries more than the height adds to it. */
  protected recompute(node: NodeIndex): void {
    const { height } = this;
    height[node] = Math.max(height[this.left[node]!]!, height[this.right[node]!]!) + 1;
  }

  /**
   * Takes `node` out of the tree and returns the lowest node whose subtree has changed; a node with two children is
   * replaced by `successor`, the next in order.
   */
  protected unhang(node: NodeIndex, successor: NodeIndex): NodeIndex {
    const lower = this.left[node]!;
    const upper = this.right[node]!;
    const above = this.parent[node]!;
    if (lower === NIL || upper === NIL) {
      this.replaceChild(above, node, lower === NIL ? upper : lower);
      return above;
    }
    const changed = this.parent[successor]! === node ? successor : this.parent[successor]!;
    if (changed !== successor) {
      this.replaceChild(changed, successor, this.right[successor]!);
      this.adopt(successor, this.right, upper);
    }
    this.adopt(successor, this.left, lower);
    this.replaceChild(above, node, successor);
    // The successor takes over the old height, so that the retracing sees what has changed below it.
    this.height[successor] = this.height[node]!;
    return changed;
  }

  /** Rotates a node that leans by 2, to the right if positive, and returns the root of that subtree. */
  protected rebalance(node: NodeIndex, lean: number): NodeIndex {
    const { left, right, height } = this;
    if (lean > 0) {
      const upper = right[node]!;
      if (height[left[upper]!]! > height[right[upper]!]!) this.rotate(upper, left, right);
      return this.rotate(node, right, left);
    }
    const lower = left[node]!;
    if (height[right[lower]!]! > height[left[lower]!]!) this.rotate(lower, right, left);
    return this.rotate(node, left, right);
  }

  protected growLinks(): void {
    this.left = doubled(this.left, Int32Array);
    this.right = doubled(this.right, Int32Array);
    this.parent = doubled(this.parent, Int32Array);
    this.height = doubled(this.height, Int8Array);
  }

  private adopt(node: NodeIndex, side: Int32Array, child: NodeIndex): void {
    side[node] = child;
    this.parent[child] = node;
  }

  private replaceChild(above: NodeIndex, old: NodeIndex, child: NodeIndex): void {
    if (above === NIL) this.root = child;
    else if (this.left[above]! === old) this.left[above] = child;
    else this.right[above] = child;
    if (child !== NIL) this.parent[child] = above;
  }

  /** Lifts the child on side `from` above `node`, which goes down on side `to`. */
  private rotate(node: NodeIndex, from: Int32Array, to: Int32Array): NodeIndex {
    const lifted = from[node]!;
    const moved = to[lifted]!;
    this.replaceChild(this.parent[node]!, node, lifted);
    from[node] = moved;
    if (moved !== NIL) this.parent[moved] = node;
    this.adopt(lifted, to, node);
    this.recompute(node);
    this.recompute(lifted);
    return lifted;
  }
}

/** A column of twice the length with the same contents. */
export function doubled<T extends Float64Array | Int32Array | Int8Array>(
  column: T,
  type: new (n: number) => T,
): T {
  const larger = new type(column.length * 2);
  larger.set(column);
  return larger;
}
