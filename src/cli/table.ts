/** Columns for the terminal. */

/** `rows` as lines, the first their heading; columns of `rightAligned` headings hold numbers. */
export function renderTable(rows: readonly (readonly string[])[], rightAligned: ReadonlySet<string>): string {
  const [heading = []] = rows;
  const widths = heading.map((_, column) => rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0));
  return rows
    .map((row) => {
      const cells = heading.map((title, column) => {
        const cell = row[column] ?? "";
        const width = widths[column] ?? 0;
        return rightAligned.has(title) ? cell.padStart(width) : cell.padEnd(width);
      });
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}
