/** How much of the suite is run: a little of everything, one suite as a rule, every size. */
export type Extent = 'short' | 'normal' | 'full';
