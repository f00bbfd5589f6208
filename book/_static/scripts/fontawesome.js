// In the place of the theme's copy of all Font Awesome icons (1.5 MB): book.css has the dozen that pages show.
