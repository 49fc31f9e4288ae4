/** What the system said about a file, less the call and the path that Node.js puts behind it. */
export function systemProblem(error: unknown): string {
  return (error as Error).message.replace(/, \w+( '.*)?$/s, '');
}
