/** The grapnel: a shank with a ring and four flukes, one stroke on a grid of 24. */
export function Logo({ size = 20, className }: { size?: number; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      className={className}
    >
      <circle cx="12" cy="4" r="2" />
      <path d="M12 6v16M2.5 12.5C2.5 18 7 22 12 22s9.5-4 9.5-9.5M7.5 14.5c0 4 2 7.5 4.5 7.5s4.5-3.5 4.5-7.5" />
    </svg>
  );
}
