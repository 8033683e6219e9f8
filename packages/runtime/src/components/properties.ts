/** A property of a component by its name, without regard to case. */
export function property(properties: Readonly<Record<string, string>>, name: string): string | undefined {
  const wanted = name.toLowerCase()
  return Object.entries(properties).find(([key]) => key.toLowerCase() === wanted)?.[1]
}
