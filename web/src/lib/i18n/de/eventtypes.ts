export const eventtypes = {};
