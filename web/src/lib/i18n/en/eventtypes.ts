export const eventtypes = {} as const;
