/** Exit statuses of every command: fine; the answer is no; bad usage, or a configuration or policy that does not load. */
export const EXIT = { fine: 0, no: 1, usage: 2 } as const;
