/** The page's script: makes the static report interactive. */

document.documentElement.dataset['script'] = 'on';
