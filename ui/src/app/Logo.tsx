/** The logo, as in public/icon.svg. */
export function Logo() {
  return (
    <svg viewBox="0 0 32 32" className="size-5 shrink-0" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#4f5bd5" />
      <path
        d="M7 23.5 13 14l5 5 7-11"
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="25" cy="8" r="3" fill="#ffd27a" />
    </svg>
  );
}
