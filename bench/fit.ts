/** Straight lines through what was measured. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Share of the variance that the line explains, 0 to 1. */
  readonly r2: number;
}

/** The line of least squares. Two points at least, not all of one x. */
export function fitLine(points: readonly Point[]): Line {
  const mean = (read: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + read(point), 0) / points.length;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const varianceX = mean(({ x }) => (x - meanX) ** 2);
  const varianceY = mean(({ y }) => (y - meanY) ** 2);
  const covariance = mean(({ x, y }) => (x - meanX) * (y - meanY));
  const slope = covariance / varianceX;
  return {
    slope,
    intercept: meanY - slope * meanX,
    r2: varianceY === 0 ? 1 : covariance ** 2 / (varianceX * varianceY),
  };
}

/**
 * Power by which y grows with x between the last two points, what it is at `origin` taken off: 1 is linear, 2 quadratic. The
 * line of least squares is blind to it where one point is far larger than all others.
 */
export function lastExponent(points: readonly Point[], origin: Point): number {
  const [before, last] = points.slice(-2);
  if (before === undefined || last === undefined) return Number.NaN;
  return Math.log((last.y - origin.y) / (before.y - origin.y)) / Math.log((last.x - origin.x) / (before.x - origin.x));
}
