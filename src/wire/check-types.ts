/** Schema pieces of all formats. Objects are open: fields that are not named are legal and kept. */
import { Type } from "@sinclair/typebox";
import type { TSchema, TUnion, TOptional } from "@sinclair/typebox";

export const text = Type.String({ expected: "a string" });
export const flag = Type.Boolean({ expected: "true or false" });
export const number = Type.Number({ expected: "a number" });
export const anyObject = Type.Object({}, { expected: "an object" });

/** The name of the model: any non-empty string. */
export const modelName = Type.String({ minLength: 1, expected: "the name of a model" });

/** May be left out or null; `expected` completes "… must be …". */
export function optional(schema: TSchema, expected: string = schema.expected ?? "valid"): TOptional<TUnion> {
  return Type.Optional(Type.Union([schema, Type.Null()], { expected: `${expected} or null` }));
}
