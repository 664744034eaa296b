/** The page's files are imported as texts; they are no modules of the program. */
declare module "*.js" {
  const text: string;
  export = text;
}
declare module "*.css" {
  const text: string;
  export = text;
}
declare module "*.svg" {
  const text: string;
  export = text;
}
