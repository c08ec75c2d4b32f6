/** What a style element needs to be allowed by the page's policy. Browsers hide it from attributes, not from the property. */
export const nonce: string = document.querySelector<HTMLElement>('meta[property="csp-nonce"]')?.nonce ?? "";
