// Colours by what they mean. A drawing in a file has them as they are; inside the report they are the page's variables, so that light and dark follow it.

export const ROLES = {
  surface: { light: '#ffffff', dark: '#14181f' },
  ink: { light: '#1b2430', dark: '#e8edf4' },
  quiet: { light: '#5b6778', dark: '#97a3b4' },
  line: { light: '#dfe4ea', dark: '#2a323d' },
  sluice: { light: '#0b62d6', dark: '#5aa2ff' },
  kafka: { light: '#c2410c', dark: '#ff9152' },
  rocketmq: { light: '#7e22ce', dark: '#c58bff' },
  bare: { light: '#64748b', dark: '#8b98a9' },
  good: { light: '#15803d', dark: '#4ade80' },
  bad: { light: '#b91c1c', dark: '#f87171' },
} as const;

export type Role = keyof typeof ROLES;
export type Theme = Readonly<Record<Role, string>>;

const of = (pick: (role: Role) => string): Theme => Object.fromEntries((Object.keys(ROLES) as Role[]).map((role) => [role, pick(role)])) as unknown as Theme;

/** For files that stand alone. */
export const lightTheme: Theme = of((role) => ROLES[role].light);
/** For drawings inside the page. */
export const pageTheme: Theme = of((role) => `var(--${role})`);

export function themeVariables(kind: 'light' | 'dark'): string {
  return (Object.keys(ROLES) as Role[]).map((role) => `--${role}:${ROLES[role][kind]}`).join(';');
}
