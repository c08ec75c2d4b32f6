// Where this page was loaded from, whatever path prefix a proxy puts before it. Read once: pushState must not change it.
const href = document.baseURI;

/** Address that all of ours are relative to; ends with a slash. */
export const baseURL = new URL(".", href);

/** The same without the closing slash, as snippets and the API client want it. */
export const serverURL = baseURL.href.replace(/\/$/, "");

/** Path of the router: "/" or "/prefix". */
export const basePath = baseURL.pathname.replace(/\/$/, "") || "/";
