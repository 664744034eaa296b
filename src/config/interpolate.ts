/** `${NAME}` in strings of the configuration, taken from the environment. */
import { suggestion } from "../base/diagnostic.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The text with every `${NAME}` replaced, or what is wrong with one of them; values of variables are never in `problem`. */
export type Interpolated = { readonly text: string; readonly fromEnvironment: boolean } | { readonly problem: string };

/** Replaces each `${NAME}`. What a variable holds is not looked at again. */
export function interpolate(text: string, environment: Environment): Interpolated {
  if (!text.includes("${")) return { text, fromEnvironment: false };
  let problem: string | null = null;
  const result = text.replace(/\$\{([^}]*)\}?/g, (whole, name: string) => {
    if (!whole.endsWith("}") || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      problem ??= "has a ${ that does not begin a variable: write ${NAME}";
      return "";
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined)
      problem ??= `names the environment variable ${name}, which is not set${suggestion(name, Object.keys(environment))}`;
    return value ?? "";
  });
  return problem === null ? { text: result, fromEnvironment: true } : { problem };
}
